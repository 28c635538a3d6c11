"""How many images a page holds, and how large, so that it stays small."""

import dataclasses
from typing import Any

import numpy as np

from keras_csg.reports.embedding import jpeg_uri
from keras_csg.reports.gathering import Gathered
from keras_csg.reports.pictures import shrunk


@dataclasses.dataclass(frozen=True)
class Level:
    """How much is shown of images, so that the page stays small enough.

    Attributes:
        images: int. Images of a filter, at most.
        side: int. Longest side of an image in pixels.
        quality: int, 1 to 95, of the JPEG files.
        heatmaps: int. Images of a class with the evidence for it, at most.
        mistakes: int. Images that went wrong, at most.
    """

    images: int
    side: int
    quality: int
    heatmaps: int
    mistakes: int


LEVELS = (
    Level(99, 128, 84, 6, 24),
    Level(9, 96, 80, 6, 24),
    Level(9, 80, 74, 4, 24),
    Level(6, 72, 70, 3, 24),
    Level(4, 64, 66, 2, 20),
    Level(3, 56, 62, 2, 16),
    Level(2, 48, 58, 1, 12),
    Level(1, 48, 52, 1, 12),
    Level(1, 40, 46, 1, 8),
    Level(1, 32, 40, 1, 6),
    Level(0, 32, 40, 1, 6),
    Level(0, 32, 40, 0, 0),
)
"""From all there is down to nothing; the first that fits is taken."""
SAMPLED = 64


class Album:
    """The images of a page, each once, as addresses that hold them.

    Args:
        level: `Level`.

    Attributes:
        addresses: list of str.
    """

    def __init__(self, level: Level):
        self.level = level
        self.addresses: list[str] = []
        self._places: dict[Any, int] = {}

    def add(self, key: Any, image: np.ndarray, larger: int = 1) -> int:
        """Returns the place of an image in the album.

        Args:
            key: what it is known by; the same key, the same image.
            image: uint8 array of shape `(height, width, 3)`.
            larger: int. How many times larger than others it may be.
        """
        if key not in self._places:
            small = shrunk(image, self.level.side * larger)
            self._places[key] = len(self.addresses)
            self.addresses.append(jpeg_uri(small, self.level.quality))
        return self._places[key]


def fitting_level(gathered: Gathered, budget: int) -> Level:
    """Returns the first of `LEVELS` whose images are likely to fit.

    From the mean size of some of them.

    Args:
        gathered: `Gathered`.
        budget: int. Bytes that images may take.
    """
    survey = gathered.survey
    rows = np.linspace(0, len(survey.thumbnails) - 1, SAMPLED).astype(int)
    some = survey.thumbnails[np.unique(rows)] if len(survey.thumbnails) else []
    for level in LEVELS[:-1]:
        sizes = [
            len(jpeg_uri(shrunk(i, level.side), level.quality)) for i in some
        ]
        shown = survey.top_samples[:, : level.images]
        count = len(np.unique(shown[shown >= 0]))
        heatmaps = sum(
            len(s[: level.heatmaps]) for s in gathered.heatmaps.values()
        )
        # An image and its map; of mistakes two maps, and twice as large.
        count += 2 * heatmaps + 3 * 3 * min(
            level.mistakes, len(gathered.mistakes)
        )
        if count * (np.mean(sizes) if sizes else 0) < budget:
            return level
    return LEVELS[-1]
