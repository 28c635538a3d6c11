"""Notices images in 0..1 where a network takes 0..255."""

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_csg.layers.image_normalization import ImageNormalization

LOOKED_AT = 32
"""Images that are looked at, the first of an array."""


class ImageRange:
    """The largest value of the images that went through a model's steps.

    Of a pipeline nothing can be read beforehand: another pass may cost much,
    and some can be passed only once. So the steps themselves take note.

    It is made with the model, in its strategy's scope, and is no part of its
    state.
    """

    def __init__(self):
        self.largest = keras.Variable(
            0.0,
            trainable=False,
            dtype="float32",
            autocast=False,
            aggregation="only_first_replica",
            name="largest_value",
        )

    def see(self, images: Any) -> None:
        """Takes note of a batch, within a step.

        Args:
            images: Tensor; whole numbers are bytes and not looked at.
        """
        dtype = keras.backend.standardize_dtype(images.dtype)
        if keras.backend.is_float_dtype(dtype):
            largest = ops.cast(ops.max(images), "float32")
            self.largest.assign(ops.maximum(self.largest, largest))

    def forget(self) -> None:
        """Starts again, before the first of the steps to look at."""
        self.largest.assign(0.0)

    def warn(self, model: Any) -> None:
        """Says once if what was seen looks as if it were in 0..1.

        Args:
            model: `CSGClassifier`.
        """
        _warn_once(model, float(ops.convert_to_numpy(self.largest)))


class ImageRangeCheck(keras.callbacks.Callback):
    """Looks at the first batch of a training, so that none is trained on black.

    The batch must have gone through steps that told `model.image_range`.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts anew with each call of `fit`."""
        self.looked = False
        self.model.image_range.forget()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Looks once, since what is looked at has to be waited for."""
        if not self.looked:
            self.looked = True
            self.model.image_range.warn(self.model)


def warn_of_small_values(model: Any, images: Any) -> None:
    """Says once if an array's images look as if they were in 0..1, or -1..1.

    Such train to chance: to the network they are all black. Only arrays and
    tensors of floats are looked at; see `ImageRange` for pipelines.

    Args:
        model: `CSGClassifier`.
        images: what `fit`, `evaluate` or `predict` was given as `x`.
    """
    images = sole_input(images)
    if _told(model) or not hasattr(images, "shape"):
        return
    dtype = keras.backend.standardize_dtype(images.dtype)
    if not keras.backend.is_float_dtype(dtype):
        return
    first = keras.ops.convert_to_numpy(images[:LOOKED_AT])
    if first.size:
        _warn_once(model, float(first.max()))


def sole_input(given: Any) -> Any:
    """Returns what a list or a dict of one input holds; all else as it is.

    Keras takes the images of a functional model in these, too.
    """
    if isinstance(given, list | tuple | dict) and len(given) == 1:
        (inner,) = given.values() if isinstance(given, dict) else given
        return inner
    return given


def _warn_once(model, largest):
    # All zeros are a test of something else.
    if _told(model) or not 0 < largest <= 1 or not takes_bytes(model.backbone):
        return
    model._told_of_small_values = True
    warnings.warn(
        "The network takes images in 0..255 and scales them itself, and the "
        f"largest value of the first is {largest:.3g}: give them as they were "
        "before they were scaled.",
        stacklevel=4,
    )


def _told(model):
    return getattr(model, "_told_of_small_values", False)


def takes_bytes(backbone: keras.Model) -> bool:
    """Whether a network scales images in 0..255 by a layer of its own.

    Of a network without such a layer nobody knows.

    Args:
        backbone: functional `keras.Model`.
    """
    return any(_scales_bytes(layer) for layer in backbone.layers)


def _scales_bytes(layer):
    if isinstance(layer, keras.layers.Rescaling):
        return bool(np.all(np.asarray(layer.scale) < 0.1))
    if isinstance(layer, keras.layers.Normalization):
        mean = getattr(layer, "mean", None)
        return mean is not None and float(np.max(mean)) > 1
    return isinstance(layer, ImageNormalization)
