"""Images become what a model takes, by the model's own metadata."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_csg.data.image_files import in_threads
from keras_csg.deployment.metadata import Metadata
from keras_csg.files import why_unread

KINDS = str | os.PathLike | bytes | bytearray | memoryview | Image.Image


def read_batch(images: Any, metadata: Metadata) -> np.ndarray:
    """Returns images as the batch that a model takes.

    Args:
        images: an image, or a list of them: path of a file, bytes of one, a
            stream of these, or `PIL.Image.Image`.
        metadata: the model's `Metadata`.

    Returns:
        array of shape `(images, height, width, 3)`, RGB in 0..255, of the
        dtype that the model takes.

    Raises:
        ValueError: if there is none, one cannot be read, or they are of
            several sizes and the model takes each at its own.
    """
    several = list(images) if isinstance(images, list | tuple) else [images]
    if not several:
        raise ValueError("`images` must not be empty. Received: images=[]")
    found = read_each(several, metadata)
    errors = [error for _, error in found if error is not None]
    if errors:
        raise ValueError(errors[0])
    pixels = [image for image, _ in found if image is not None]
    sizes = sorted({image.shape[:2] for image in pixels})
    if len(sizes) > 1:
        shown = ", ".join(f"{height}x{width}" for height, width in sizes[:3])
        raise ValueError(
            "The model takes images of any size, so those of one batch must "
            f"share theirs: read them one by one. Received: {shown}"
        )
    return np.stack(pixels)


def read_each(
    images: Sequence[Any], metadata: Metadata, max_pixels: int | None = None
) -> list[tuple[np.ndarray | None, str | None]]:
    """Returns images as a model takes them, past those that are broken.

    Args:
        images: as of `read_batch`.
        metadata: the model's `Metadata`.
        max_pixels: see `predict_each`.

    Returns:
        list of a tuple for each image: an array of shape `(height, width, 3)`
        and what is wrong with it; one of both is `None`.
    """
    size, kind = metadata.input["shape"][1:3], metadata.input["dtype"]
    reading = metadata.reading
    if max_pixels is not None:
        reading = dataclasses.replace(reading, max_pixels=max_pixels)

    def read(item):
        number, image = item
        name = named(image, number)
        if not (isinstance(image, KINDS) or hasattr(image, "read")):
            return None, (
                f"Cannot read {name}: it must be a path, bytes, a stream or a "
                f"PIL image, not {type(image).__name__}"
            )
        try:
            return reading.decode(image, size).astype(kind), None
        except Exception as error:  # Pillow raises all sorts on damaged files.
            why = why_unread(error) or type(error).__name__
            return None, f"Cannot read the image {name}: {why}"

    if len(images) == 1:  # A pool takes longer to start than to read.
        return [read((0, images[0]))]
    return in_threads(read, enumerate(images))


def takes_any_size(metadata: Metadata) -> bool:
    """Tells whether a model takes images of more than one size."""
    return None in metadata.input["shape"][1:3]


def named(image: Any, number: int) -> str:
    """Returns what to call an image: its path, or its number."""
    if isinstance(image, str | os.PathLike):
        return os.fspath(image)
    return f"number {number}"
