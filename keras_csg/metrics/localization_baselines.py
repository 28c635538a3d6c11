"""The scores of maps that ignore the image, to compare others with."""

import numpy as np

from keras_csg.metrics.localization import (
    intersection_over_union,
    localization_figures,
)


def whole_image(size: tuple[int, int]) -> np.ndarray:
    """Returns the mask `(height, width)` of every pixel."""
    return np.ones(size, bool)


def centered_square(size: tuple[int, int], share: float = 0.5) -> np.ndarray:
    """Returns the mask of a centred rectangle of the image's aspect.

    Args:
        size: tuple `(height, width)`.
        share: float. Its share of the area, about.

    Returns:
        bool array of shape `(height, width)`.
    """
    near = [
        np.abs((np.arange(side) + 0.5) / side - 0.5) < np.sqrt(share) / 2
        for side in size
    ]
    return near[0][:, None] & near[1][None, :]


def center(size: tuple[int, int]) -> np.ndarray:
    """Returns the mask `(height, width)` of the middle pixel, or of several.

    Where objects stand in the middle, always pointing there is hard to beat:
    a map of 3x3 cells whose middle one is the highest does no more.
    """
    near = [np.abs(np.arange(side) + 0.5 - side / 2) < 0.75 for side in size]
    return near[0][:, None] & near[1][None, :]


def baseline_figures(masks: np.ndarray) -> dict[str, dict[str, float]]:
    """Measures the baselines; the pointing game is played at random in them.

    Args:
        masks: bool array of shape `(samples, height, width)`.

    Returns:
        dict from `whole_image`, `centered_square` and `center` to a dict of
        `localization_figures`.
    """
    figures = {}
    for baseline in (whole_image, centered_square, center):
        region = baseline(masks.shape[-2:])
        hits = masks[:, region].mean(axis=-1)
        overlaps = intersection_over_union(region, masks)
        figures[baseline.__name__] = localization_figures(overlaps, hits)
    return figures
