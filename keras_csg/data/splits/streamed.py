from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.data.splits.share import Share


class StreamedSplit(ImageSplit):
    """A split that is read in file order, for sets larger than the memory.

    It is shuffled through a buffer of encoded images.

    Args:
        examples: `tf.data.Dataset` of encoded images and labels, once over and
            always in the same order.
        decode: Callable from an encoded image to a uint8 one.
        buffer_size: int. Number of encoded images in the shuffle buffer.
        num_examples: int. Number of images.
        num_classes: int. Number of classes.
        image_shape: tuple `(height, width, 3)`.
    """

    def __init__(
        self,
        examples: tf.data.Dataset,
        decode: Callable[[tf.Tensor], tf.Tensor],
        buffer_size: int,
        num_examples: int,
        num_classes: int,
        image_shape: tuple[int, int, int],
    ):
        super().__init__(num_examples, num_classes, image_shape, cached=False)
        self._examples = examples
        self._decode = decode
        self._buffer_size = max(1, min(buffer_size, num_examples))
        self._class_counts: np.ndarray | None = None

    @property
    def class_counts(self) -> np.ndarray:
        """Images per class, of shape `(num_classes,)`."""
        if self._class_counts is None:
            labels = self._examples.map(lambda image, label: label)
            counts = np.zeros(self.num_classes, "int64")
            for batch in labels.batch(4096):
                counts += np.bincount(batch, minlength=self.num_classes)
            self._class_counts = counts
        return self._class_counts

    def _in_order(
        self, batch_size: int, share: Share | None
    ) -> tf.data.Dataset:
        return self._decoded(self._examples, batch_size, share)

    def _shuffled(
        self, batch_size: int, key: tf.Tensor, share: Share | None
    ) -> tf.data.Dataset:
        seed = tf.random.stateless_uniform(
            [], key, maxval=tf.int64.max, dtype=tf.int64
        )
        # `shuffle` also takes the global seed. Within this function, which
        # `flat_map` traces as a graph of its own, there is always the same.
        tf.random.set_seed(1)
        examples = self._examples.shuffle(
            self._buffer_size, seed=seed, reshuffle_each_iteration=False
        )
        return self._decoded(examples, batch_size, share)

    def _read(self, examples):
        return examples

    def _decoded(self, examples, batch_size, share):
        @tf.autograph.experimental.do_not_convert
        def decode(image, label):
            return self._decode(image), tf.cast(label, tf.int32)

        if share is None:
            decoded = examples.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
            return decoded.batch(batch_size)

        @tf.autograph.experimental.do_not_convert
        def decode_part(examples, place):
            images, labels = examples
            kind = tf.TensorSpec(self.image_shape, tf.uint8)
            images = tf.map_fn(self._decode, images, fn_output_signature=kind)
            return (images, tf.cast(labels, tf.int32)), place

        # Only the own part is decoded; several batches are at a time.
        parts = examples.batch(batch_size).map(
            lambda *examples: share.part_of(examples)
        )
        return parts.map(decode_part, num_parallel_calls=tf.data.AUTOTUNE)
