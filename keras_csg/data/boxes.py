"""Boxes `(x0, y0, x1, y1)` in pixels, and how they follow their image."""

import numpy as np
from numpy.typing import ArrayLike


def box_masks(boxes: ArrayLike, size: tuple[int, int]) -> np.ndarray:
    """Returns the pixels whose centres lie in each box.

    Args:
        boxes: float array of shape `(n, 4)`.
        size: tuple `(height, width)`.

    Returns:
        bool array of shape `(n, height, width)`; empty for a box without area.

    Raises:
        ValueError: if the boxes have another shape.
    """
    boxes = np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(
            "`boxes` must have shape (n, 4). "
            f"Received: boxes.shape={boxes.shape}"
        )
    x0, y0, x1, y1 = boxes.T[:, :, None]
    y, x = (np.arange(side) + 0.5 for side in size)
    rows = (y0 <= y) & (y < y1)
    columns = (x0 <= x) & (x < x1)
    return rows[:, :, None] & columns[:, None, :]


def cover_pixels(boxes: ArrayLike) -> np.ndarray:
    """Returns which of the boxes `(n, 4)` hold the centre of a pixel."""
    boxes = np.asarray(boxes)
    first = np.ceil(boxes[:, :2] - 0.5) + 0.5
    return np.all(first < boxes[:, 2:], axis=1)
