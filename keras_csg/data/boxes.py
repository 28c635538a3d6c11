"""Boxes `(x0, y0, x1, y1)` in pixels, and how they follow their image."""

import numpy as np
from numpy.typing import ArrayLike


def fit_boxes(
    boxes: ArrayLike, sizes: ArrayLike, size: tuple[int, int]
) -> np.ndarray:
    """Moves boxes as the loader moves the images of a folder.

    An image is cropped about its centre to the aspect of the new size, then
    resized; see `decode_file`.

    Args:
        boxes: float array of shape `(n, 4)`, in pixels of the original.
        sizes: ints of shape `(n, 2)`: heights and widths of the originals.
        size: tuple `(height, width)` of what the loader gives.

    Returns:
        float array of shape `(n, 4)`, in pixels of that size; clipped to it,
        so a box in the part that is cropped off has no area.
    """
    boxes, sizes = np.asarray(boxes, "float64"), np.asarray(sizes, "float64")
    target = np.array(size, "float64")
    scale = (target / sizes).max(axis=1, keepdims=True)
    offset = (sizes - target / scale) / 2  # (n, 2): rows, columns
    corners = boxes.reshape(-1, 2, 2) - offset[:, None, ::-1]
    corners = corners * scale[:, :, None]
    return np.clip(corners, 0, target[::-1]).reshape(-1, 4)


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
