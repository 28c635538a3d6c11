"""The sizes of images: how they get the one that a network takes."""

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageOps

LONGEST_SIDE = 1024
"""Pixels of the longer side at most, where a network takes images of any."""
FreeSize = tuple[int | None, int | None] | None
"""A height and a width, each `None` where it is the image's own."""


def size_for(original: tuple[int, int], size: FreeSize) -> tuple[int, int]:
    """Returns the size that an image gets.

    Args:
        original: tuple `(height, width)` of the image.
        size: tuple `(height, width)`. A side that is `None` follows the
            other, so that the aspect stays; where both are, or `size` is
            `None`, the image keeps its own size, up to `LONGEST_SIDE`.

    Returns:
        tuple `(height, width)`, each at least 1.
    """
    rows, columns = size or (None, None)
    height, width = original
    if rows is not None and columns is not None:
        return rows, columns
    if rows is not None:
        return rows, _side(width * rows / height)
    if columns is not None:
        return _side(height * columns / width), columns
    scale = min(1.0, LONGEST_SIDE / max(original))
    return _side(height * scale), _side(width * scale)


def _side(pixels):
    return min(max(round(pixels), 1), LONGEST_SIDE)


def fitted(
    image: Image.Image,
    size: tuple[int, int],
    resize: str,
    color: tuple[int, int, int] | int,
    method: Image.Resampling,
) -> Image.Image:
    """Returns an image at a size.

    Args:
        image: `PIL.Image.Image`.
        size: tuple `(height, width)`.
        resize: `"crop"`, `"pad"` or `"squash"`; see `ImageReading`.
        color: what is added to a padded image.
        method: how to interpolate.
    """
    wanted = size[::-1]
    if image.size == wanted:
        return image
    if resize == "crop":
        return ImageOps.fit(image, wanted, method)
    if resize == "squash":
        return image.resize(wanted, method)
    inner = image.resize(_inner_size(image.size, wanted), method)
    padded = Image.new(image.mode, wanted, color)
    padded.paste(
        inner,
        (
            round((wanted[0] - inner.width) / 2),
            round((wanted[1] - inner.height) / 2),
        ),
    )
    return padded


def _inner_size(original, wanted):
    """Returns the largest `(width, height)` of the aspect that fits in."""
    ratio, wanted_ratio = original[0] / original[1], wanted[0] / wanted[1]
    if ratio > wanted_ratio:
        # A strip keeps a line of pixels.
        return wanted[0], max(1, round(original[1] / original[0] * wanted[0]))
    if ratio < wanted_ratio:
        return max(1, round(original[0] / original[1] * wanted[1])), wanted[1]
    return wanted


def scale_and_offset(
    sizes: ArrayLike, size: tuple[int, int], resize: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns by how much rows and columns are scaled and then moved.

    Args:
        sizes: ints of shape `(n, 2)`: heights and widths of images.
        size: tuple `(height, width)` that they get.
        resize: see `fitted`.

    Returns:
        Two float arrays of shape `(n, 2)`.
    """
    sizes = np.asarray(sizes, "float64")
    scale = np.array(size) / sizes
    if resize == "crop":
        scale = scale.max(axis=1, keepdims=True)
    elif resize == "pad":
        scale = scale.min(axis=1, keepdims=True)
    offset = (np.array(size) - sizes * scale) / 2
    return np.broadcast_to(scale, sizes.shape), offset
