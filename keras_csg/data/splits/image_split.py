import abc
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import lazy_loader
import numpy as np

from keras_csg.data.splits.share import Share, is_whole

if TYPE_CHECKING:
    import tensorflow as tf
else:  # Where it is not installed, the class is still there to be named.
    tf = lazy_loader.load("tensorflow")


class ImageSplit(abc.ABC):
    """One split of a data set: images as uint8 RGB, labels as int32.

    Labels are class numbers; with `multi_label`, a 0 or a 1 for each class, of
    shape `(batch, classes)`, float32.

    Attributes:
        num_examples: int. Number of images.
        num_classes: int. Number of classes.
        image_shape: tuple `(height, width, 3)`.
        cached: bool. Whether the decoded images are in memory.
        multi_label: bool. Whether an image may have several classes.
        class_counts: int array of shape `(num_classes,)`: images per class.
            A streamed split reads all its labels at the first look.
    """

    multi_label = False

    def __init__(
        self,
        num_examples: int,
        num_classes: int,
        image_shape: tuple[int, int, int],
        cached: bool,
    ):
        self.num_examples = num_examples
        self.num_classes = num_classes
        self.image_shape = image_shape
        self.cached = cached

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} num_examples={self.num_examples}, "
            f"image_shape={self.image_shape}, cached={self.cached}>"
        )

    def steps_per_epoch(self, batch_size: int) -> int:
        """Returns the number of batches: the last, partial one counts."""
        return math.ceil(self.num_examples / _positive(batch_size))

    def batches(
        self, batch_size: int, share: Share | None = None
    ) -> "tf.data.Dataset":
        """Returns the split once over in a fixed order.

        Args:
            batch_size: int. Number of images in a batch; the last has fewer.
            share: `Share` of each batch that is read; `None` for all of it.

        Returns:
            `tf.data.Dataset` of images `(batch, height, width, 3)`, uint8, and
            labels `(batch,)`, int32; with a `share` also of whether that is
            the whole batch, a bool.
        """

        @tf.autograph.experimental.do_not_convert
        def read(batch, examples):
            return self._read_part(examples, share)

        self._prepare()
        # Numbered, so that `map` takes what a batch holds as one.
        stream = self._in_order(_positive(batch_size), share).enumerate()
        stream = stream.map(read, num_parallel_calls=tf.data.AUTOTUNE)
        return _finished(stream, self.steps_per_epoch(batch_size))

    def training_batches(
        self,
        batch_size: int,
        *,
        seed: int,
        first_epoch: int = 0,
        epochs: int = 1,
        augmentation: str = "none",
        share: Share | None = None,
        sampling: str = "uniform",
    ) -> "tf.data.Dataset":
        """Returns the shuffled, augmented batches of several epochs.

        What batch `b` of epoch `e` holds is a function of `(seed, e, b)`: a
        run resumed at `first_epoch` sees what it would have seen. Give `fit`
        `steps_per_epoch` with it, as one stream runs through all epochs.

        Args:
            batch_size: int. Number of images in a batch. Every epoch ends
                with a smaller batch if the split does not divide.
            seed: int. Seed of order and augmentation.
            first_epoch: int. Number of the first epoch of the stream.
            epochs: int. Number of the epoch before which the stream ends.
            augmentation: str. See `keras_csg.data.augmentation`.
            share: as for `batches`.
            sampling: `"uniform"`, every image once an epoch; or `"balanced"`,
                as many images drawn, with replacement, all classes alike.

        Returns:
            `tf.data.Dataset` of what `batches` gives; see `Augmentation` for
            what changes the types of images and labels.

        Raises:
            ValueError: if images that are read one after another are to be
                drawn.
        """
        from keras_csg.data.augmentation.augmentation import Augmentation
        from keras_csg.data.augmentation.random_keys import (
            AUGMENTATION,
            ORDER,
            fold_key,
        )

        _check_epochs(first_epoch, epochs)
        steps = self.steps_per_epoch(batch_size) * (epochs - first_epoch)
        augment = Augmentation(augmentation, self.num_classes)
        self._prepare()
        order = self._shuffled if sampling == "uniform" else self._drawn()

        @tf.autograph.experimental.do_not_convert
        def one_epoch(epoch):
            key = fold_key(seed, ORDER, epoch)
            shuffled = order(batch_size, key, share)
            return shuffled.enumerate().map(
                lambda batch, examples: (epoch, batch, examples)
            )

        @tf.autograph.experimental.do_not_convert
        def read(epoch, batch, examples):
            key = fold_key(seed, AUGMENTATION, epoch, batch)
            return self._read_part(
                examples, share, lambda x, y, place: augment(x, y, key, place)
            )

        # Reading and prefetching lie outside `flat_map`, so they go on while
        # one epoch gives way to the next.
        stream = tf.data.Dataset.range(first_epoch, epochs)
        stream = stream.flat_map(one_epoch)
        stream = stream.map(read, num_parallel_calls=tf.data.AUTOTUNE)
        return _finished(stream, steps)

    def images_and_labels(
        self, limit: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the first images and labels as arrays.

        Args:
            limit: int or `None`. Number of images, `None` for all.

        Returns:
            images `(limit, height, width, 3)`, uint8, and labels `(limit,)`,
            int32; with `multi_label` `(limit, classes)`, float32.
        """
        count = self.num_examples
        if limit is not None:
            count = min(_positive(limit, "limit"), count)
        images = np.empty((count, *self.image_shape), "uint8")
        labels = np.empty(count, "int32")
        if self.multi_label:
            labels = np.empty((count, self.num_classes), "float32")
        start = 0
        for batch_images, batch_labels in self.batches(256):
            stop = min(start + len(batch_labels), count)
            images[start:stop] = batch_images[: stop - start]
            labels[start:stop] = batch_labels[: stop - start]
            start = stop
            if start == count:
                break
        return images, labels

    def _read_part(self, examples, share, change=None):
        """Reads what `_in_order` gives, and says of a share if it is all."""
        place = None
        if share is not None:
            examples, place = examples
        images, labels = self._read(examples)
        if change is not None:
            images, labels = change(images, labels, place)
        if place is None:
            return images, labels
        return images, labels, is_whole(images, place)

    @property
    @abc.abstractmethod
    def class_counts(self) -> np.ndarray:
        """Images per class, of shape `(num_classes,)`."""

    def _prepare(self):  # noqa: B027 (most have nothing to read)
        """Reads what the split has put off, before a pipeline is built.

        Within one, an error would be told in its words.
        """

    @abc.abstractmethod
    def _in_order(
        self, batch_size: int, share: Share | None
    ) -> "tf.data.Dataset":
        """Returns a `Dataset` of whatever `_read` takes, a batch each.

        With a `share` of what its `part_of` returns of them.
        """

    @abc.abstractmethod
    def _shuffled(
        self, batch_size: int, key: "tf.Tensor", share: Share | None
    ) -> "tf.data.Dataset":
        """Returns the same in another order."""

    def _drawn(self) -> Callable:
        """Returns what stands for `_shuffled` where classes are balanced."""
        raise ValueError(
            "Balanced sampling draws images in any order, and these are read "
            "one after another: keep them in memory (`cache`), or take "
            "`class_weights` or `logit_adjustment` instead."
        )

    def some(self, places: np.ndarray) -> "ImageSplit":
        """Returns the split with some of its images alone.

        Args:
            places: int array, of where they are in the split.

        Raises:
            ValueError: if its images are read one after another.
        """
        raise ValueError(
            "Images that are read one after another cannot be chosen: keep "
            "them in memory (`cache`)."
        )

    @property
    def labels(self) -> np.ndarray:
        """The label of each image, `(num_examples, ...)`, in order."""
        return self.images_and_labels()[1]

    @abc.abstractmethod
    def _read(self, examples):
        """Returns images and labels of one element."""


def _finished(stream, steps):
    """Fixes order and length, and prefetches."""
    options = tf.data.Options()
    options.deterministic = True
    # There are no files to deal out to the workers of a distributed run.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    stream = stream.apply(tf.data.experimental.assert_cardinality(steps))
    return stream.with_options(options).prefetch(tf.data.AUTOTUNE)


def _positive(value, name="batch_size"):
    if not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(
            f"`{name}` must be a positive integer. Received: {name}={value!r}"
        )
    return int(value)


def _check_epochs(first_epoch, epochs):
    if not 0 <= first_epoch <= epochs:
        raise ValueError(
            "`first_epoch` must be between 0 and `epochs`. "
            f"Received: first_epoch={first_epoch}, epochs={epochs}"
        )
