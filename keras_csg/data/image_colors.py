"""Pixels of every kind become RGB in 8 bits."""

from typing import Any

import numpy as np
from PIL import Image, ImageColor

from keras_csg.data.sample_range import (
    is_deep,
    largest_value,
    level_above,
    sample_range,
)

STRIP = 2**22
"""Pixels of a strip in which what is transparent is put on its ground."""
SIXTEEN_BITS = 65535
"""White in integers of more than eight bits, where nothing says otherwise."""


def color_of(background: Any) -> tuple[int, int, int]:
    """Returns the red, green and blue, 0..255, of a colour as CSS has it.

    Raises:
        ValueError: if it is none.
    """
    try:
        red, green, blue, *_ = ImageColor.getrgb(background)
        if not all(0 <= value <= 255 for value in (red, green, blue)):
            raise ValueError("Pillow takes any numbers")
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            "`background` must be a colour such as white, black or #808080. "
            f"Received: background={background!r}"
        ) from None
    return red, green, blue


def white_of(image: Image.Image, white_level: int | None) -> int | None:
    """Returns what is white in an image of more than eight bits, or floats.

    Args:
        image: `PIL.Image.Image`, as it was opened: unpacked it can no longer
            say.
        white_level: see `ImageReading`.

    Returns:
        int; `None` for an image of eight bits.
    """
    if not is_deep(image):
        return None
    white = sample_range(image) or white_level
    if white is not None:
        return white
    if image.mode.startswith("I;16"):
        return SIXTEEN_BITS
    above = level_above(largest_value(image)) or SIXTEEN_BITS
    floats = image.mode.startswith("F")
    return above if floats else max(above, SIXTEEN_BITS)


def as_rgb(
    image: Image.Image, white: int | None, background: str
) -> Image.Image:
    """Returns an image as RGB, 8 bits a channel; itself if it is that.

    Args:
        image: `PIL.Image.Image`.
        white: what `white_of` returned.
        background: colour of what lies under transparent pixels.

    Raises:
        ValueError: if pixels are NaN or infinite.
    """
    if white is not None:
        image = _in_eight_bits(image, white)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    color = (*color_of(background), 255)
    whole = Image.new("RGB", image.size)
    rows = max(1, STRIP // image.width)
    # All at once would take five times the memory.
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        whole.paste(_on_ground(image.crop(box), color), box)
    return whole


def _on_ground(image, color):
    # What lies under a transparent pixel nobody sees: often it is black.
    shown = image.convert("RGBA")
    ground = Image.new("RGBA", shown.size, color)
    return Image.alpha_composite(ground, shown).convert("RGB")


def _in_eight_bits(image, white):
    values = np.asarray(image, "float32")
    if not np.isfinite(values).all():
        raise ValueError("it has pixels that are NaN or infinite")
    with np.errstate(over="ignore"):  # What is too large is white.
        levels = values * np.float32(255 / white)
    levels = np.clip(np.rint(levels), 0, 255)
    return Image.fromarray(levels.astype("uint8"))
