import dataclasses
import io

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.image_sizes import DEFAULT_SIZE


@dataclasses.dataclass(frozen=True)
class ImageFeatures:
    """How to read the images and labels of a TFDS builder.

    Attributes:
        image_key: str. Name of the image among the features.
        label_key: str. Name of the label.
        class_names: list of str. A name for each label.
        image_size: tuple `(height, width)` of the images that `decode` gives.
        reading: `ImageReading`.
    """

    image_key: str
    label_key: str
    class_names: list[str]
    image_size: tuple[int, int]
    reading: ImageReading = PLAIN

    def decode_bytes(self, encoded: bytes) -> np.ndarray:
        """Returns an image as one in a file is decoded: by Pillow."""
        return self.reading.decode(io.BytesIO(encoded), self.image_size)

    def number(self, label: tf.Tensor) -> tf.Tensor:
        """Returns the number of a class; -1 for what has no label."""
        if label.dtype != tf.string:
            return label
        same = tf.equal(label, tf.constant(self.class_names))
        return tf.where(tf.reduce_any(same), tf.argmax(same), -1)

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
    builder: tfds.core.DatasetBuilder,
    image_size: tuple[int, int] | None,
    reading: ImageReading = PLAIN,
) -> ImageFeatures:
    """Returns the `ImageFeatures` of a builder, or says why it has none.

    Args:
        builder: A prepared TFDS builder.
        image_size: tuple `(height, width)` or `None` for the set's own size,
            224x224 where that varies.
        reading: `ImageReading`.
    """
    image_key, label_key = _checked_keys(builder)
    image = builder.info.features[image_key]
    own_size = image.shape[:2]
    size = image_size or (DEFAULT_SIZE if None in own_size else own_size)
    class_names = _class_names(builder, label_key)
    return ImageFeatures(
        image_key, label_key, class_names, tuple(size), reading
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


def _keys(builder):
    """Returns the names of the image and of its label, `None` without them.

    Where the builder does not say which they are, the only ones.
    """
    features, keys = builder.info.features, builder.info.supervised_keys
    if not isinstance(features, tfds.features.FeaturesDict):
        return None
    if keys is None:
        images = [name for name in features if _is_image(features[name])]
        labels = [name for name in features if _is_label(features[name])]
        keys = (*images, *labels) if len(images) == len(labels) == 1 else ()
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


def _checked_keys(builder):
    keys = _keys(builder)
    if keys is None:
        raise ValueError(
            "The data must be a data set of 8-bit images with one class label "
            f"each. Received: {builder.name!r}, whose supervised keys are "
            f"{builder.info.supervised_keys} and whose features are "
            f"{', '.join(sorted(builder.info.features))}"
        )
    return keys
