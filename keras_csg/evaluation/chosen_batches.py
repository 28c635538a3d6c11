from collections.abc import Iterator

import numpy as np

from keras_csg.data.splits.image_split import ImageSplit


class ChosenBatches:
    """Batches of a split, or of some of its images, spread evenly over it.

    Args:
        split: `ImageSplit`.
        limit: int. Number of images at most; `None` for all.
        batch_size: int. Images read at a time.

    Attributes:
        numbers: int array of shape `(images,)`: where they are in the split.
    """

    def __init__(
        self, split: ImageSplit, limit: int | None, batch_size: int
    ) -> None:
        count = split.num_examples
        most = count if limit is None else min(limit, count)
        self.numbers = np.arange(most) * count // max(most, 1)
        self._batches = split.batches(batch_size)
        self._steps = split.steps_per_epoch(batch_size)

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        start, most = 0, self.numbers[-1] + 1
        for images, labels in self._batches:
            if start >= most:
                return
            stop = start + len(labels)
            first, last = np.searchsorted(self.numbers, (start, stop))
            own = self.numbers[first:last] - start
            start = stop
            if own.size:
                yield np.asarray(images)[own], np.asarray(labels)[own]
