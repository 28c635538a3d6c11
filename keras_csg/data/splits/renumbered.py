import numpy as np
import tensorflow as tf

from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.data.splits.share import Share


class RenumberedSplit(ImageSplit):
    """A split with the classes of another in another order.

    Args:
        split: `ImageSplit`.
        number_of: int array of shape `(num_classes,)`. The new number of each
            class.
    """

    def __init__(self, split: ImageSplit, number_of: np.ndarray):
        super().__init__(
            split.num_examples,
            split.num_classes,
            split.image_shape,
            split.cached,
        )
        self._split = split
        self.multi_label = split.multi_label
        self._number_of = np.asarray(number_of, "int32")

    @property
    def class_counts(self) -> np.ndarray:
        """Images per class, of shape `(num_classes,)`."""
        counts = np.zeros_like(self._split.class_counts)
        counts[self._number_of] = self._split.class_counts
        return counts

    @property
    def labels(self) -> np.ndarray:
        """The label of each image, `(num_examples, ...)`, in order."""
        if self.multi_label:
            return self._split.labels[:, np.argsort(self._number_of)]
        return self._number_of[self._split.labels]

    def some(self, places: np.ndarray) -> "RenumberedSplit":
        """Returns the split with some of its images alone."""
        return RenumberedSplit(self._split.some(places), self._number_of)

    def _prepare(self):
        self._split._prepare()

    def _drawn(self):
        return self._split._drawn()

    def _in_order(
        self, batch_size: int, share: Share | None
    ) -> tf.data.Dataset:
        return self._split._in_order(batch_size, share)

    def _shuffled(
        self, batch_size: int, key: tf.Tensor, share: Share | None
    ) -> tf.data.Dataset:
        return self._split._shuffled(batch_size, key, share)

    def _read(self, examples):
        images, labels = self._split._read(examples)
        if self.multi_label:  # Column by column, from where it was.
            return images, tf.gather(
                labels, np.argsort(self._number_of), axis=1
            )
        return images, tf.gather(self._number_of, labels)
