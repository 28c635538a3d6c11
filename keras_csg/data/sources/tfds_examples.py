"""The images and labels of a set of TensorFlow Datasets, in file order."""

import contextlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_csg.data.image_files import in_threads, now_and_then
from keras_csg.data.image_sizes import SMALL_IMAGE
from keras_csg.data.sources.request import Request
from keras_csg.data.sources.tfds_features import ImageFeatures


class TfdsExamples:
    """What is read of a prepared set: the images of the classes asked for.

    Args:
        builder: prepared TFDS builder.
        features: `ImageFeatures` of it.
        request: `Request`.
    """

    def __init__(
        self,
        builder: tfds.core.DatasetBuilder,
        features: ImageFeatures,
        request: Request,
    ):
        self.builder, self.features, self.request = builder, features, request
        self._labels: dict[str, np.ndarray] = {}

    def has_labels(self, name: str) -> bool:
        """Whether a split has labels: some sets keep those of theirs secret."""
        numbers = self._numbers(f"{name}[:1]", self.features.own_number)
        return all(number >= 0 for number in numbers.as_numpy_iterator())

    def labels(self, name: str) -> np.ndarray:
        """Returns our number of each image's class, -1 for none.

        They are read but once; where no image is left out they are of use to
        nobody, since the images bring them.

        Args:
            name: str. A split, or some of it.
        """
        if name not in self._labels:
            self.request.log(
                f"Looking through the labels of {self.request.name} {name}."
            )
            numbers = self._numbers(name, self.features.number)
            found = [*numbers.batch(4096).as_numpy_iterator(), []]
            self._labels[name] = np.concatenate(found).astype("int32")
        return self._labels[name]

    def total(self, name: str) -> int:
        """Returns how many images a split has, also of other classes.

        Args:
            name: str. A split, or some of it.
        """
        return self.builder.info.splits[name].num_examples

    def count(self, name: str, numbers: np.ndarray | None = None) -> int:
        """Returns how many images of a split are of our classes.

        Args:
            name: str. A split, or some of it.
            numbers: int array. Some of its images; `None` for all.
        """
        if self.features.some_left_out:
            labels = self.labels(name)
            labels = labels if numbers is None else labels[numbers]
            return int(np.sum(labels >= 0))
        if numbers is None:
            return self.total(name)
        return len(numbers)

    def encoded(self, name: str) -> tf.data.Dataset:
        """Returns a `Dataset` of encoded images and labels of our classes."""
        features = self.features
        image, label = features.image_key, features.label_key
        examples = self._examples(
            name, [image, label], {image: tfds.decode.SkipDecoding()}
        ).map(
            lambda example: (example[image], features.number(example[label])),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        if features.some_left_out:
            examples = examples.filter(lambda image, label: label >= 0)
        return examples

    def decode(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns all images of our classes, uint8, and their labels."""
        features, log = self.features, self.request.log
        log(f"Decoding {self.request.name} {name} into memory.")
        count = self.count(name)
        images = np.empty((count, *features.image_size, 3), "uint8")
        labels = np.empty(count, "int32")
        start = 0
        tell = now_and_then(lambda done: log(f"{done:,} of {count:,} images"))
        # Batches of encoded images: a call of Python for each takes longer.
        examples = self.encoded(name).batch(1024).prefetch(2)
        for encoded, batch_labels in examples.as_numpy_iterator():
            stop = start + len(batch_labels)
            # Threads take longer to take turns than such images to decode.
            small = max(features.image_size) <= SMALL_IMAGE
            each = map if small else in_threads
            decoded = list(each(features.decode_bytes, encoded))
            images[start:stop], labels[start:stop] = decoded, batch_labels
            start = stop
            tell(start)
        return images, labels

    def _numbers(self, name, number):
        label = self.features.label_key
        examples = self._examples(name, [label])
        return examples.map(lambda example: number(example[label]))

    def _examples(self, name, keys, decoders=None):
        _name_dtypes(self.builder.info.features, keys)
        return self.builder.as_dataset(
            split=name,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(
                dict.fromkeys(keys, True), decoders=decoders
            ),
            # One file after the other: what is held out goes by that order.
            read_config=tfds.ReadConfig(
                try_autocache=False,
                skip_prefetch=True,
                interleave_cycle_length=1,
            ),
        )


def _name_dtypes(features, keys):
    """Keeps dtypes where TFDS looks for them under a name it warns of."""
    for key in keys:
        with contextlib.suppress(AttributeError):
            features[key].dtype = features[key].tf_dtype
