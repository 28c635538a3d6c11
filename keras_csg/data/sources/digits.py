import numpy as np
import tensorflow as tf

from keras_csg.data.memory import check_images
from keras_csg.data.sources.base import ClassificationData, Source
from keras_csg.data.sources.class_choice import choose_classes
from keras_csg.data.sources.registry import register_source
from keras_csg.data.splits.holdout import three_ways
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader

RESIZING_BYTES = 12
"""Of a pixel: float32 twice, and then red, green, blue and grey."""


@register_source("digits")
class DigitsSource(Source):
    """Scikit-learn's 1,797 handwritten digits, enlarged to 32x32.

    They come with scikit-learn, so they need neither network nor files.
    """

    def load(self) -> ClassificationData:
        """Loads the three splits."""
        from sklearn import datasets  # Half a second, for those who ask.

        request = self.request
        digits = datasets.load_digits()
        size = request.image_size or (32, 32)
        check_images(len(digits.images), size, RESIZING_BYTES)
        read_images = cached_reader(_as_rgb(digits.images, size))
        names, number_of = choose_classes(
            [str(name) for name in digits.target_names], request
        )
        labels = number_of[digits.target]
        count = len(names)
        splits = [
            IndexedSplit(
                read_images, labels, part, count, (*size, 3), cached=True
            )
            for part in three_ways(
                digits.target, request.validation_split, request.seed, labels
            )
        ]
        return ClassificationData(
            self, names, (*size, 3), *splits, allow_flip=False
        )


def _as_rgb(images, size):
    """Turns grey levels 0..16 of shape `(n, 8, 8)` into uint8 RGB."""
    images = tf.image.resize(images[..., None] * (255 / 16), size)
    grey = np.round(images.numpy()).astype("uint8")
    return np.repeat(grey, 3, axis=-1)
