"""Notices images in 0..1 where a network takes 0..255."""

import warnings
from typing import Any

import keras
import numpy as np

from keras_csg.layers.image_normalization import ImageNormalization

LOOKED_AT = 32
"""Images that are looked at, the first of an array."""


def warn_of_small_values(model: Any, images: Any) -> None:
    """Says once if images look as if they were in 0..1, or in -1..1.

    Such train to chance: to the network they are all black. Only arrays and
    tensors of floats are looked at, so that no data set is read for it, and
    only for networks that scale 0..255 themselves.

    Args:
        model: `CSGClassifier`.
        images: what `fit`, `evaluate` or `predict` was given as `x`.
    """
    told = getattr(model, "_told_of_small_values", False)
    if told or not hasattr(images, "shape") or not takes_bytes(model.backbone):
        return
    dtype = keras.backend.standardize_dtype(images.dtype)
    if not keras.backend.is_float_dtype(dtype):
        return
    first = keras.ops.convert_to_numpy(images[:LOOKED_AT])
    if not first.size or not first.any() or not first.max() <= 1:
        return
    model._told_of_small_values = True
    warnings.warn(
        "The network takes images in 0..255 and scales them itself, and the "
        f"largest value of the first {len(first)} is {first.max():.3g}: give "
        "them as they were before they were scaled.",
        stacklevel=3,
    )


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
