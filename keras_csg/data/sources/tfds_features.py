import dataclasses
import io

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.image_sizes import DEFAULT_SIZE
from keras_csg.data.sources.class_choice import ClassChoice, choose_classes
from keras_csg.data.sources.request import Request


@dataclasses.dataclass(frozen=True)
class ImageFeatures:
    """How to read the images and labels of a TFDS builder.

    Attributes:
        image_key: str. Name of the image among the features.
        label_key: str. Name of the label.
        own_names: list of str. The set's name for each label.
        choice: `ClassChoice` of these classes.
        texts: bool. Whether labels are texts, of which some may be empty.
        image_size: tuple `(height, width)` of the images that `decode` gives.
        reading: `ImageReading`.
    """

    image_key: str
    label_key: str
    own_names: list[str]
    choice: ClassChoice
    texts: bool
    image_size: tuple[int, int]
    reading: ImageReading = PLAIN

    def decode_bytes(self, encoded: bytes) -> np.ndarray:
        """Returns an image as one in a file is decoded: by Pillow."""
        return self.reading.decode(io.BytesIO(encoded), self.image_size)

    @property
    def class_names(self) -> list[str]:
        """A name for each number that `number` gives."""
        return self.choice.class_names

    @property
    def some_left_out(self) -> bool:
        """Whether not every example of the set is of a class."""
        return self.texts or bool(np.any(self.choice.number_of < 0))

    def own_number(self, label: tf.Tensor) -> tf.Tensor:
        """Returns the set's number of a class; -1 for what has no label."""
        if label.dtype != tf.string:
            return label
        same = tf.equal(label, tf.constant(self.own_names))
        return tf.where(tf.reduce_any(same), tf.argmax(same), -1)

    def number(self, label: tf.Tensor) -> tf.Tensor:
        """Returns our number of a class; -1 for what is of none of them."""
        numbers = tf.constant([*self.choice.number_of, -1], tf.int64)
        own = tf.cast(self.own_number(label), tf.int64)
        return tf.gather(numbers, tf.math.floormod(own, len(numbers)))

    @tf.autograph.experimental.do_not_convert
    def decode(self, encoded: tf.Tensor) -> tf.Tensor:
        """Returns the same of a tensor of an encoded image, in the graph."""
        pixels = tf.numpy_function(
            self.decode_bytes,
            [encoded],
            tf.uint8,
            stateful=False,  # So that `tf.data` may do several at a time.
        )
        return tf.ensure_shape(pixels, (*self.image_size, 3))


def image_features(
    builder: tfds.core.DatasetBuilder, request: Request
) -> ImageFeatures:
    """Returns the `ImageFeatures` of a builder, or says why it has none.

    Args:
        builder: A prepared TFDS builder.
        request: `Request`. Without `image_size` images have the set's own,
            224x224 where that varies.

    Raises:
        ValueError: if it has no such images, or not the classes asked for.
    """
    image_key, label_key = _checked_keys(builder, request.labels)
    image = builder.info.features[image_key]
    own_size = image.shape[:2]
    size = request.image_size
    size = size or (DEFAULT_SIZE if None in own_size else own_size)
    own_names = _class_names(builder, label_key)
    label = builder.info.features[label_key]
    return ImageFeatures(
        image_key,
        label_key,
        own_names,
        choose_classes(own_names, request),
        not isinstance(label, tfds.features.ClassLabel),
        tuple(size),
        request.reading,
    )


def _class_names(builder, label_key):
    """Returns the names that the set has, or those that stand in it."""
    feature = builder.info.features[label_key]
    if isinstance(feature, tfds.features.ClassLabel):
        return list(feature.names)
    found: set[bytes] = set()
    for split in builder.info.splits:
        labels = builder.as_dataset(
            split=split,
            decoders=tfds.decode.PartialDecoding({label_key: True}),
        )
        found.update(e[label_key] for e in labels.as_numpy_iterator())
    return sorted(name.decode("utf-8", "replace") for name in found if name)


def is_image_classification(builder: tfds.core.DatasetBuilder) -> bool:
    """Whether a builder has images with one class label each."""
    return _keys(builder) is not None


def _keys(builder, label=None):
    """Returns the names of the image and of its label, `None` without them.

    Where the builder does not say which they are, the only ones; `label` is
    the name of another label.
    """
    features, keys = builder.info.features, builder.info.supervised_keys
    if not isinstance(features, tfds.features.FeaturesDict):
        return None
    if keys is None:
        images = [name for name in features if _is_image(features[name])]
        labels = [name for name in features if _is_label(features[name])]
        labels = labels if label is None else [label]
        keys = (*images, *labels) if len(images) == len(labels) == 1 else ()
    elif label is not None:
        keys = (keys[0], label)
    if len(keys) != 2:
        return None
    if not all(isinstance(key, str) and key in features for key in keys):
        return None
    image, label = (features[key] for key in keys)
    return keys if _is_image(image) and _is_label(label) else None


def _is_image(feature):
    return (
        isinstance(feature, tfds.features.Image)
        and feature.np_dtype == np.uint8
        and feature.shape[-1] in (1, 3, 4)
    )


def _is_label(feature):
    return isinstance(feature, tfds.features.ClassLabel | tfds.features.Text)


def _checked_keys(builder, label):
    keys = _keys(builder, label)
    if keys is None:
        if label is not None:
            raise ValueError(
                "`labels` must name a class label beside an image. Received: "
                f"labels={label!r} of {builder.name!r}, whose features are "
                f"{', '.join(sorted(builder.info.features))}"
            )
        raise ValueError(
            "The data must be a data set of 8-bit images with one class label "
            f"each. Received: {builder.name!r}, whose supervised keys are "
            f"{builder.info.supervised_keys} and whose features are "
            f"{', '.join(sorted(builder.info.features))}"
        )
    return keys
