import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_csg.data.label_sets import images_per_class
from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.data.splits.share import Share


class IndexedSplit(ImageSplit):
    """A split whose images can be read in any order, by their numbers.

    Only numbers are shuffled; a batch is read as a whole.

    Args:
        read_images: Callable from int64 numbers `(batch,)` to uint8 images
            `(batch, height, width, 3)`, as tensors.
        labels: int array of shape `(images,)`, of all images that
            `read_images` knows; or zeros and ones `(images, classes)`. Or a
            callable that returns the former, called once they are needed.
        numbers: int array. The images that belong to this split.
        num_classes: int. Number of classes.
        image_shape: tuple `(height, width, 3)`.
        cached: bool. Whether the images are in memory.
    """

    def __init__(
        self,
        read_images: Callable[[tf.Tensor], tf.Tensor],
        labels: np.ndarray | Callable[[], np.ndarray],
        numbers: np.ndarray,
        num_classes: int,
        image_shape: tuple[int, int, int],
        cached: bool,
    ):
        super().__init__(len(numbers), num_classes, image_shape, cached)
        self._read_images = read_images
        self._given_labels = labels
        self.multi_label = not callable(labels) and np.ndim(labels) == 2
        # Tensors, since an array would become a constant of every graph.
        with tf.device("cpu:0"):
            self._numbers = tf.constant(numbers, tf.int64)

    @functools.cached_property
    def _labels(self):
        given = self._given_labels
        kind = tf.float32 if self.multi_label else tf.int32
        with tf.device("cpu:0"):
            return tf.constant(given() if callable(given) else given, kind)

    @property
    def labels(self) -> np.ndarray:
        """The label of each image, `(num_examples, ...)`, in order."""
        return tf.gather(self._labels, self._numbers).numpy()

    @property
    def class_counts(self) -> np.ndarray:
        """Images per class, of shape `(num_classes,)`."""
        return images_per_class(self.labels, self.num_classes)

    def _in_order(
        self, batch_size: int, share: Share | None
    ) -> tf.data.Dataset:
        return _in_batches(self._numbers, batch_size, share)

    def _shuffled(
        self, batch_size: int, key: tf.Tensor, share: Share | None
    ) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(self._numbers, key)
        return _in_batches(order, batch_size, share)

    def _drawn(self):
        with tf.device("cpu:0"):
            counts = np.maximum(self.class_counts, 1)
            up_to = tf.constant(np.cumsum(1 / counts[self.labels]))

        def draw(batch_size, key, share):
            draws = tf.random.stateless_uniform(
                [self.num_examples], key, dtype=up_to.dtype
            )
            places = tf.searchsorted(up_to, draws * up_to[-1], side="right")
            # Rounding might lead past the last.
            places = tf.minimum(places, self.num_examples - 1)
            return _in_batches(
                tf.gather(self._numbers, places), batch_size, share
            )

        return draw

    def some(self, places: np.ndarray) -> "IndexedSplit":
        """Returns the split with some of its images alone."""
        return IndexedSplit(
            self._read_images,
            self._given_labels,
            tf.gather(self._numbers, places),
            self.num_classes,
            self.image_shape,
            self.cached,
        )

    def _prepare(self):
        _ = self._labels

    def _read(self, numbers):
        images = self._read_images(numbers)
        images = tf.ensure_shape(images, [None, *self.image_shape])
        return images, tf.gather(self._labels, numbers)


def _in_batches(numbers, batch_size, share):
    batches = tf.data.Dataset.from_tensor_slices(numbers).batch(batch_size)
    return batches if share is None else batches.map(share.part_of)


def cached_reader(images: np.ndarray) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a reader of images in memory, for `IndexedSplit`.

    They stay the one copy that they are. As a tensor they would be copied,
    and once more for every `Dataset`, whose graph takes in what it reads.

    Args:
        images: uint8 array of shape `(images, height, width, 3)`.
    """
    return reader_of(lambda numbers: images[numbers])


def reader_of(
    read: Callable[[np.ndarray], np.ndarray],
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns a reader for `IndexedSplit` that calls Python.

    Args:
        read: callable from int64 numbers `(batch,)` to uint8 images.
    """
    # Declared stateless, so that `tf.data` may run batches side by side even
    # where TensorFlow is told to be deterministic.
    return lambda numbers: tf.numpy_function(
        read, [numbers], tf.uint8, stateful=False
    )
