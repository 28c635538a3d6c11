"""Which pixels an exported model takes, by its metadata."""

from collections.abc import Mapping
from typing import Any

import numpy as np

PIXELS = (0, 255)
SLACK = 1 / 255
"""Share of the range by which resizing and rounding may leave it."""


def range_of(backbone: Any) -> dict[str, list[int]]:
    """Returns what metadata say of the pixels that a network takes.

    Nothing of one that scales none by itself: nobody knows what it takes.

    Args:
        backbone: functional `keras.Model`.
    """
    from keras_csg.models.image_range import takes_bytes  # Loads Keras.

    return {"range": list(PIXELS)} if takes_bytes(backbone) else {}


def fault_of_range(images: np.ndarray, about: Mapping[str, Any]) -> str | None:
    """Returns what is wrong with the values of images, `None` for nothing.

    Args:
        images: array, of finite numbers.
        about: dict. `input` of the model's `Metadata`; without `range` nobody
            knows it.
    """
    if "range" not in about or not images.size:
        return None
    low, high = about["range"]
    slack = SLACK * (high - low)
    least, most = float(images.min()), float(images.max())
    if low - slack <= least and most <= high + slack:
        return None
    return (
        f"must be in {low:g}..{high:g}, the range of the model's input. "
        f"Received: {least:.4g}..{most:.4g}"
    )


def looks_scaled(images: np.ndarray, about: Mapping[str, Any]) -> bool:
    """Whether pixels in 0..255 are asked for and these look divided by 255.

    All zeros are black.

    Args:
        images: array.
        about: dict. `input` of the model's `Metadata`.
    """
    if tuple(about.get("range", ())) != PIXELS or images.dtype.kind != "f":
        return False
    return bool(images.size) and 0 < float(images.max()) <= 1
