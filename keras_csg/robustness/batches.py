from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.evaluation.chosen_batches import ChosenBatches


class NumberedBatch(NamedTuple):
    """Images, and where they are in their split.

    Attributes:
        numbers: int array of shape `(samples,)`.
        images: uint8 array of shape `(samples, height, width, 3)`.
        labels: int32 array of shape `(samples,)`, or of `(samples, classes)`.
    """

    numbers: np.ndarray
    images: np.ndarray
    labels: np.ndarray


class NumberedBatches:
    """Full batches of a split, or of some of its images, evenly spread.

    Read as they come, so that a set of millions does.

    Args:
        split: `ImageSplit`.
        limit: int. Number of images at most; `None` for all.
        batch_size: int. Images of a batch; the last may have fewer.
    """

    def __init__(
        self, split: ImageSplit, limit: int | None, batch_size: int
    ) -> None:
        self._chosen = ChosenBatches(split, limit, max(batch_size, 256))
        self._size = batch_size

    @property
    def images(self) -> int:
        """Number of the images."""
        return len(self._chosen.numbers)

    def __len__(self) -> int:
        return -(-self.images // self._size)

    def __iter__(self) -> Iterator[NumberedBatch]:
        kept: list[NumberedBatch] = []
        waiting = start = 0
        for images, labels in self._chosen:
            stop = start + len(labels)
            numbers = self._chosen.numbers[start:stop]
            kept.append(NumberedBatch(numbers, images, labels))
            waiting, start = waiting + len(labels), stop
            if waiting < self._size:
                continue
            together = _joined(kept)
            whole = waiting // self._size * self._size
            for first in range(0, whole, self._size):
                yield _part(together, first, first + self._size)
            kept = [_part(together, whole, waiting)]
            waiting -= whole
        if waiting:
            yield _joined(kept)


def _joined(batches):
    return NumberedBatch(*map(np.concatenate, zip(*batches, strict=True)))


def _part(batch, start, stop):
    return NumberedBatch(*(array[start:stop] for array in batch))
