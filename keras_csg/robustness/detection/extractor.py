"""What a detector takes from a classifier: features, batch by batch."""

import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_csg.data.pixel_levels import PixelLevels
from keras_csg.evaluation.features import check_finite, head_of
from keras_csg.explain.feature_maps import check_levels, check_rgb, in_batches
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.image_range import takes_bytes

_EXTRACTING: weakref.WeakKeyDictionary[CSGClassifier, keras.Model] = (
    weakref.WeakKeyDictionary()
)
"""One for each classifier: TensorFlow traces every new one anew, and warns."""


def _extracting(model):
    """Returns what gives a classifier's features, made once."""
    if model not in _EXTRACTING:
        _EXTRACTING[model] = keras.Model(
            model.backbone.input, model.pooling(model.backbone.output)
        )
    return _EXTRACTING[model]


class Extractor:
    """Gives the features of images, checked.

    Args:
        model: `CSGClassifier`, or a run of one.
        batch_size: int. Images at a time.

    Raises:
        ValueError: if it is neither, or its images may have several classes.
    """

    def __init__(self, model: CSGClassifier | Any, batch_size: int = 128):
        if hasattr(model, "load_model"):
            model = model.load_model()
        if not isinstance(model, CSGClassifier):
            raise ValueError(
                "`model` must be a CSGClassifier or a run. "
                f"Received: model of type {type(model).__name__}"
            )
        if model.multi_label:
            raise ValueError(
                "A detector is for images of one class each: an image of "
                "several lights the filters of several. Received: a network "
                "with `multi_label`"
            )
        self.batch_size = batch_size
        self.head = head_of(model)
        self._scales_bytes = takes_bytes(model.backbone)
        self.image_shape = model.input_shape[1:]
        self._extractor = _extracting(model)

    def batches(
        self, images: Any, name: str, levels: PixelLevels | None = None
    ) -> Iterator[np.ndarray]:
        """Yields the features of images, whatever they come as.

        Args:
            images: array `(samples, height, width, 3)`, or an iterable of such
                batches, alone or with their labels; or features.
            name: str. The argument's.
            levels: `PixelLevels` that takes note of them; `None` to warn of
                images in 0..1.

        Raises:
            ValueError: if they are not as described.
        """
        there = False
        for batch in self._as_batches(images):
            if isinstance(batch, tuple | list):
                batch = batch[0]  # Images and labels.
            batch = np.asarray(batch)
            there = True
            if batch.ndim == 2:
                yield self._checked_features(batch, name)
                continue
            checked = self._checked(batch, name, levels)
            for part in in_batches(checked, self.batch_size):
                features = self._extractor.predict_on_batch(part)
                features = ops.convert_to_numpy(features)
                check_finite([features])
                yield features
        if not there:
            raise ValueError(f"`{name}` must hold an image. Received: none")

    def features(self, images: Any, name: str) -> np.ndarray:
        """Returns the features of all images, `(samples, filters)`."""
        return np.concatenate(list(self.batches(images, name)))

    def learned_features(self, images: Any, name: str) -> np.ndarray:
        """Returns the features of images that something is learned from.

        Raises:
            ValueError: as well if they are not as before they were scaled,
                where the network scales them itself.
        """
        levels = PixelLevels(name) if self._scales_bytes else None
        if levels is not None and getattr(images, "ndim", 0) == 4:
            self._checked(images, name, levels)
            levels.check()  # Before what takes long.
        features = np.concatenate(list(self.batches(images, name, levels)))
        if levels is not None and levels.seen:
            levels.check()
        return features

    def _as_batches(self, images):
        array = hasattr(images, "shape") and hasattr(images, "dtype")
        if array or not isinstance(images, Iterable):
            return [images]
        if isinstance(images, list) and images and np.ndim(images[0]) == 3:
            return [np.stack(images)]
        return images

    def _checked(self, images, name, levels):
        if images.ndim != 4 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"`{name}` must be images of shape (samples, "
                f"{', '.join(map(str, self.image_shape))}), or features "
                f"(samples, {self.head.filters}). "
                f"Received: {name}.shape={images.shape}"
            )
        images = check_rgb(images)
        if levels is None:
            check_levels(images)
            return images
        if not np.isfinite(images).all():
            raise ValueError(f"`{name}` must be finite numbers in 0..255.")
        levels.see(images)
        levels.check_range()
        return images

    def _checked_features(self, features, name):
        if features.shape[1] != self.head.filters or not len(features):
            raise ValueError(
                f"Features in `{name}` must have shape (samples, "
                f"{self.head.filters}). Received: {name}.shape={features.shape}"
            )
        check_finite([features])
        return np.asarray(features, "float32")
