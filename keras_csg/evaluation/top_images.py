"""The images that fire each filter most, while a split passes by."""

from typing import Any

import numpy as np
from PIL import Image

NONE = -1
"""Number of an image that is not there."""
LARGEST_SIDE = 112
THUMBNAIL_BYTES = 2**28
"""Side of a thumbnail, and the bytes of all of them, at most."""


class TopImages:
    """Keeps the first `n` images of each filter, and where it fires in them.

    Batch after batch is added. No more is kept than `n` maps of each filter
    and one thumbnail of each image, so memory does not grow with the samples.
    Filters that no image of a batch fires more than what they have are passed
    over; the others are sorted stably, over `n` and the batch: of images that
    fire a filter alike the earlier come first, whatever the batches are.

    Args:
        filters: int.
        images_per_filter: int, `n`.

    Attributes:
        values: float32 array of shape `(filters, n)`, from the largest down;
            -inf where there is no image.
        samples: ints of that shape: numbers of the images; -1 for none.
        maps: float32 array of shape `(filters, n, h, w)`; `None` before the
            first batch.
        count: int. Images that were added.
    """

    def __init__(self, filters: int, images_per_filter: int):
        shape = (filters, images_per_filter)
        self.values = np.full(shape, -np.inf, "float32")
        self.samples = np.full(shape, NONE)
        self.maps: Any = None
        self.count = 0
        self._thumbnails: dict[int, np.ndarray] = {}

    def add(
        self, features: np.ndarray, maps: np.ndarray, images: np.ndarray
    ) -> None:
        """Adds a batch.

        Args:
            features: float array of shape `(batch, filters)`.
            maps: float array of shape `(batch, h, w, filters)`.
            images: array of shape `(batch, height, width, 3)` in 0..255.
        """
        filters, most = self.values.shape
        if self.maps is None:
            shape = (filters, most, *maps.shape[1:3])
            self.maps = np.zeros(shape, "float32")
        better = (features > self.values[:, -1]).any(axis=0)
        changed = np.flatnonzero(better)
        if len(changed):
            self._merge(features[:, changed], maps, changed)
            self._keep_thumbnails(images)
        self.count += len(features)

    def _merge(self, features, maps, changed):
        """Puts a batch's images among those that filters have."""
        most = self.values.shape[1]
        values = np.concatenate([self.values[changed], features.T], axis=1)
        numbers = self.count + np.arange(len(features))
        numbers = np.broadcast_to(numbers, features.T.shape)
        samples = np.concatenate([self.samples[changed], numbers], axis=1)
        order = np.argsort(-values, axis=1, kind="stable")[:, :most]
        self.values[changed] = np.take_along_axis(values, order, axis=1)
        self.samples[changed] = np.take_along_axis(samples, order, axis=1)
        new = order >= most
        old = np.where(new, 0, order)
        merged = self.maps[changed[:, None], old]
        row = np.nonzero(new)[0]
        merged[new] = maps[order[new] - most, :, :, changed[row]]
        self.maps[changed] = merged

    def _keep_thumbnails(self, images):
        """Makes thumbnails of new images, and drops those of no filter."""
        wanted = set(np.unique(self.samples).tolist()) - {NONE}
        kept = {n: t for n, t in self._thumbnails.items() if n in wanted}
        side = self.side_of(images.shape[1:3])
        for number in wanted - kept.keys():
            kept[number] = thumbnail(images[number - self.count], side)
        self._thumbnails = kept

    def side_of(self, size: tuple[int, int]) -> int:
        """Returns the side of a thumbnail of images of a size."""
        room = THUMBNAIL_BYTES // (3 * self.values.size)
        return max(1, min(max(size), LARGEST_SIDE, int(room**0.5)))

    def drop(self, unwanted: np.ndarray) -> None:
        """Takes images away from filters.

        Args:
            unwanted: bools of shape `(filters, n)`, none before one that
                stays.
        """
        self.values[unwanted] = -np.inf
        self.samples[unwanted] = NONE
        if self.maps is not None:
            self.maps[unwanted] = 0

    def thumbnails(self) -> tuple[np.ndarray, dict[int, int]]:
        """Returns the thumbnails, and in which row that of an image is.

        Returns:
            uint8 array of shape `(m, side, side, 3)`, and a dict from an
            image's number to its row.
        """
        numbers = sorted(set(np.unique(self.samples).tolist()) - {NONE})
        if not numbers:
            return np.zeros((0, 1, 1, 3), "uint8"), {}
        stacked = np.stack([self._thumbnails[number] for number in numbers])
        return stacked, {number: row for row, number in enumerate(numbers)}


def thumbnail(image: np.ndarray, side: int) -> np.ndarray:
    """Returns a small square copy of an image, as uint8.

    Args:
        image: array of shape `(height, width, 3)` in 0..255; another aspect is
            given up.
        side: int, in pixels.
    """
    pixels = np.clip(np.rint(image), 0, 255).astype("uint8")
    if pixels.shape[:2] == (side, side):
        return pixels
    size = (side, side)
    smaller = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(smaller)
