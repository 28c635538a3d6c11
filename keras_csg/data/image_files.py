"""Image files with Pillow, which knows WebP and EXIF orientation."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, TypeVar

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

ORIENTATION = 0x0112  # The EXIF tag.
BACKGROUND = (255, 255, 255, 255)
"""White, under what is transparent."""
MOST_PIXELS = 10**9
"""Pixels above which a file is not decoded: it takes gigabytes."""
TELL_SECONDS = 10
# More than there are cores only wait for each other, and for a disk.
_THREADS = min(8, max(2, os.cpu_count() or 1))
_opening = threading.Lock()

Item = TypeVar("Item")
Result = TypeVar("Result")


def probe_size(path: str | os.PathLike) -> tuple[int, int] | None:
    """Returns `(height, width)` as displayed, or `None` for a broken file."""
    try:
        with open_image(path) as image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION, 1) >= 5
    except Exception:  # Pillow raises SyntaxError, struct.error and others.
        return None
    return (width, height) if turned else (height, width)


def open_image(path: str | os.PathLike | BinaryIO) -> Image.Image:
    """Opens an image file, or a stream of one, up to a panorama's size.

    Raises:
        ValueError: if it has too many pixels.
        OSError: if it cannot be opened, and what else Pillow raises.
    """
    with _opening:  # Pillow's own limit is a global, and that of a poster.
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    width, height = image.size
    if width * height > MOST_PIXELS:
        image.close()
        raise ValueError(
            f"{path} has {width}x{height} pixels, more than {MOST_PIXELS:,}."
        )
    return image


def decode_file(
    path: str | os.PathLike | BinaryIO, size: tuple[int, int]
) -> np.ndarray:
    """Returns one image as RGB, resized with its aspect kept and cropped.

    Args:
        path: str. A file, or a stream of its bytes.
        size: tuple `(height, width)`.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    with open_image(path) as file:
        # A JPEG need not be unpacked at many times the size it will have.
        file.draft(None, (2 * max(size), 2 * max(size)))
        image = _as_rgb(ImageOps.exif_transpose(file))
    if image.size != size[::-1]:
        image = ImageOps.fit(image, size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image)


def is_whole(path: str | os.PathLike) -> bool:
    """Whether a file can be decoded to its end."""
    try:
        decode_file(path, (16, 16))
    except Exception:
        return False
    return True


def decode_files(
    paths: Sequence[str | os.PathLike],
    size: tuple[int, int],
    tell: Callable[[int], Any] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Decodes many files into one array.

    Args:
        paths: list of str.
        size: tuple `(height, width)`.
        tell: see `in_threads`.

    Returns:
        uint8 array `(files, height, width, 3)`, and a bool array `(files,)`
        that says which of them could be decoded.
    """
    images = np.zeros((len(paths), *size, 3), "uint8")

    def decode(number):
        try:
            images[number] = decode_file(paths[number], size)
        except Exception:
            return False
        return True

    return images, np.array(in_threads(decode, range(len(paths)), tell))


def in_threads(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    tell: Callable[[int], Any] | None = None,
) -> list[Result]:
    """Returns `function` of every item; Pillow decodes outside the GIL.

    Args:
        function: callable of one item.
        items: iterable.
        tell: callable that is told every few seconds how many are done.
    """
    results, tell = [], now_and_then(tell)
    with ThreadPoolExecutor(_THREADS) as pool:
        for result in pool.map(function, items):
            results.append(result)
            tell(len(results))
    return results


def now_and_then(tell: Callable[[int], Any] | None) -> Callable[[int], None]:
    """Returns what passes a number on every few seconds, or to nobody."""
    told = time.monotonic()

    def pass_on(done):
        nonlocal told
        if tell and time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            tell(done)

    return pass_on


def file_reader(
    paths: Sequence[str | os.PathLike], size: tuple[int, int]
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a reader of images that stay in their files.

    Args:
        paths: list of str.
        size: tuple `(height, width)`.

    Returns:
        Callable from int64 numbers `(batch,)` to uint8 images, for
        `IndexedSplit`.
    """

    def decode(numbers):
        return np.stack([decode_file(paths[n], size) for n in numbers])

    # Declared stateless, so that `tf.data` may run batches side by side even
    # where TensorFlow is told to be deterministic.
    return lambda numbers: tf.numpy_function(
        decode, [numbers], tf.uint8, stateful=False
    )


def _as_rgb(image):
    if image.mode.startswith("I"):  # 16 bits a pixel, where RGB has 8.
        levels = np.asarray(image, "uint32") >> 8
        image = Image.fromarray(levels.astype("uint8"))
    if not image.has_transparency_data:
        return image.convert("RGB")
    # What lies under a transparent pixel nobody sees: often it is black.
    shown = image.convert("RGBA")
    ground = Image.new("RGBA", shown.size, BACKGROUND)
    return Image.alpha_composite(ground, shown).convert("RGB")
