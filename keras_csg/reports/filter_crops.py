"""Images of a filter, outlined where it fires."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from keras_csg.evaluation.filter_survey import FilterSurvey
from keras_csg.metrics.resizing import resize_maps

LEAST_SIDE = 112
"""Side of a crop in pixels, at least: small images are enlarged to it."""
DARKENED = 0.4
"""What is left of the brightness where the filter does not fire."""
OUTLINE = np.array([255, 214, 10], "uint8")
LINE = 2
ROWS, COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")


class Crop(NamedTuple):
    """One of the images that fire a filter most.

    Attributes:
        sample: int. Its number in the split.
        label: int. Its class; -1 for none.
        value: float. The filter's activation, its map's average.
        image: uint8 array of shape `(side, side, 3)`: darkened where the map
            is below the filter's threshold, with an outline between.
        place: str. Where the map is the largest, such as `"top left"`.
        share: float in `[0, 1]`, of the image where it is high.
    """

    sample: int
    label: int
    value: float
    image: np.ndarray
    place: str
    share: float


def filter_crops(
    survey: FilterSurvey, number: int, most: int | None = None
) -> list[Crop]:
    """Draws the images that fire a filter most, from the first down.

    Args:
        survey: `FilterSurvey`.
        number: int. The filter's.
        most: int. How many of them; `None` for all there are.
    """
    samples = survey.top_samples[number]
    samples = samples[samples >= 0][:most]
    if not len(samples):
        return []
    maps = survey.top_maps[number, : len(samples)]
    rows = [survey.thumbnail_of[int(sample)] for sample in samples]
    images, high = outlined(
        survey.thumbnails[rows], maps, survey.thresholds[number]
    )
    return [
        Crop(
            int(sample),
            int(survey.top_labels[number, place]),
            float(survey.top_values[number, place]),
            images[place],
            _place_of_peak(maps[place]),
            float(high[place].mean()),
        )
        for place, sample in enumerate(samples)
    ]


def outlined(
    images: np.ndarray, maps: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Shows where maps are high in their images.

    Args:
        images: uint8 array of shape `(n, s, s, 3)`.
        maps: float array of shape `(n, h, w)`, resized to the images.
        threshold: float. From where on they are high.

    Returns:
        uint8 array of shape `(n, side, side, 3)`, `side` at least
        `LEAST_SIDE`, and bools of shape `(n, side, side)`: where they are.
    """
    side = max(images.shape[1], LEAST_SIDE)
    high = resize_maps(maps, (side, side)) >= threshold
    large = np.stack([_enlarged(image, side) for image in images])
    dark = (large * DARKENED).astype("uint8")
    shown = np.where(high[..., None], large, dark)
    shown[high & ~_inner(high)] = OUTLINE
    return shown, high


def _enlarged(image, side):
    if image.shape[0] == side:
        return image
    size = (side, side)
    larger = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(larger)


def _inner(high):
    """Returns what of regions is no nearer to their edge than a line is wide.

    The edge of the image is one of theirs.
    """
    for _ in range(LINE):
        padded = np.pad(high, ((0, 0), (1, 1), (1, 1)))
        high = (
            high
            & padded[:, :-2, 1:-1]
            & padded[:, 2:, 1:-1]
            & padded[:, 1:-1, :-2]
            & padded[:, 1:-1, 2:]
        )
    return high


def _place_of_peak(values):
    """Returns in which ninth of an image a map is the largest, in words."""
    height, width = values.shape
    row, column = np.unravel_index(values.argmax(), values.shape)
    words = [
        names[int(3 * (position + 0.5) / size)]
        for names, position, size in (
            (ROWS, row, height),
            (COLUMNS, column, width),
        )
    ]
    return "centre" if words == ["middle", "centre"] else " ".join(words)
