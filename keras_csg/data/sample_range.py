"""What is white in images of more than eight bits a channel."""

import math
import os
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from keras_csg.data.image_files import displayed_size, open_image

BITS_PER_SAMPLE, MAX_SAMPLE_VALUE = 258, 281  # TIFF tags.
OVERSHOOT = 2.0
"""Up to which floats are taken for shares that were interpolated."""
MOST_BITS = 63
PNG_HEAD = 4096
"""Bytes in which a PNG file says how many bits of it count."""


def sample_range(file: Image.Image) -> int | None:
    """Returns the largest value that an image file says its samples have.

    Args:
        file: opened image of one channel of 16 bits.

    Returns:
        `4095` for a file that says twelve bits: by TIFF's tags BitsPerSample
        or MaxSampleValue, or PNG's chunk sBIT. `None` if it says nothing, or
        no more than what its kind of file has.

    Reference:
        - [TIFF 6.0](https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf)
        - [PNG, section 11.3.2.6](https://www.w3.org/TR/png-3/#11sBIT)
    """
    if file.format == "TIFF":
        tags: Any = getattr(file, "tag_v2", {})
        most = _first(tags.get(MAX_SAMPLE_VALUE))
        bits = _first(tags.get(BITS_PER_SAMPLE))
        if most and most < 65535:
            return int(most)
        return 2**bits - 1 if bits and bits < 16 else None
    return _range_of_png(file) if file.format == "PNG" else None


def _first(value):
    return value[0] if isinstance(value, tuple) and value else value


def _range_of_png(file):
    """Reads the chunk `sBIT`, which stands before the pixels."""
    stream = file.fp
    if stream is None:
        return None
    place = stream.tell()
    stream.seek(8)  # Behind the signature.
    head = stream.read(PNG_HEAD)
    stream.seek(place)
    start = 0
    while start + 8 <= len(head):
        length, kind = struct.unpack(">I4s", head[start : start + 8])
        if kind == b"sBIT" and length:
            bits = head[start + 8]
            return 2**bits - 1 if 0 < bits < 16 else None
        if kind == b"IDAT":
            break
        start += 12 + length
    return None


def is_deep(file: Image.Image) -> bool:
    """Whether an image has one channel of more than eight bits, or floats."""
    return file.mode.startswith(("I", "F"))


def level_above(largest: float) -> int | None:
    """Returns what is white, where nothing says it.

    The next power of two less one. Of floats up to 1, or a little above it
    where something was interpolated, that is 1: they are shares, as floats up
    to 255 are the levels of eight bits.

    Args:
        largest: the largest value of all; a float where they are floats.

    Returns:
        int, or `None` for integers that use all of 16 bits, or none of them.
    """
    if largest <= 0:
        return None
    shares = isinstance(largest, float)
    if shares and largest <= 255:
        return 1 if largest <= OVERSHOOT else 255
    white = 2 ** min(math.ceil(largest).bit_length(), MOST_BITS) - 1
    return None if white == 65535 and not shares else white


def largest_value(file: Image.Image) -> float:
    """Returns the largest finite value of a deep image, a float of floats."""
    values = np.asarray(file)
    if values.dtype.kind != "f":
        return int(values.max())
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else 0.0


def size_and_largest(
    path: str | os.PathLike, max_pixels: int
) -> tuple[tuple[int, int] | None, float | None]:
    """Looks at a file once, for its size and how much of its range it uses.

    Args:
        path: of an image file.
        max_pixels: int. Those with more count as broken.

    Returns:
        A tuple of what `probe_size` returns and the largest value of a deep
        image; `None` for other images and those that say what their range is.
    """
    size = None
    try:
        with open_image(path, max_pixels) as file:
            size = displayed_size(file)
            if not is_deep(file) or sample_range(file):
                return size, None
            return size, largest_value(file)
    except Exception:  # Pillow raises many kinds; others count them.
        return size, None


def range_of_files(
    largest: Iterable[float | None],
) -> tuple[int | None, list[str]]:
    """Returns what is white in a set's deep images, and a line on it.

    Where their files do not say: see `level_above`, of the largest value of
    all. Sixteen bits of which twelve are used would be almost black.

    Args:
        largest: of each file, as `size_and_largest` returns it.

    Returns:
        A tuple of an int, or `None` where there are none or they use all of 16
        bits, and a list of lines.
    """
    found = [value for value in largest if value is not None]
    if found and max(found) <= 0:
        return None, [
            f"{len(found):,} images have no value above 0: they are black."
        ]
    white = level_above(max(found)) if found else None
    if white is None:
        return None, []
    kinds = "floats" if isinstance(max(found), float) else "16 bits or more"
    line = (
        f"{len(found):,} images have {kinds} and reach {max(found):,.6g}: "
        f"{white:,} is taken for white, and what is below 0 for black. "
        "`white_level` says otherwise."
    )
    return white, [line]
