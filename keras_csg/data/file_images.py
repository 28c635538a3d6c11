"""Images of many files, read at once or as they are asked for."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_csg.data.image_files import in_threads
from keras_csg.data.image_reading import ImageReading
from keras_csg.data.splits.indexed import reader_of


def decode_files(
    paths: Sequence[str | os.PathLike],
    size: tuple[int, int],
    reading: ImageReading,
    tell: Callable[[int], Any] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes many files into one array.

    Args:
        paths: list of str.
        size: tuple `(height, width)`.
        reading: `ImageReading`.
        tell: see `in_threads`.

    Returns:
        uint8 array `(files, height, width, 3)`, and a bool array `(files,)`
        that says which of them could be decoded.
    """
    images = np.zeros((len(paths), *size, 3), "uint8")

    def decode(number):
        try:
            images[number] = reading.decode(paths[number], size)
        except Exception:
            return False
        return True

    return images, np.array(in_threads(decode, range(len(paths)), tell))


def file_reader(
    paths: Sequence[str | os.PathLike],
    size: tuple[int, int],
    reading: ImageReading,
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a reader of images that stay in their files.

    Args:
        paths: list of str.
        size: tuple `(height, width)`.
        reading: `ImageReading`.

    Returns:
        Callable from int64 numbers `(batch,)` to uint8 images, for
        `IndexedSplit`.
    """

    def decode(numbers):
        return np.stack([reading.decode(paths[n], size) for n in numbers])

    return reader_of(decode)
