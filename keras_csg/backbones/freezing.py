"""Which part of a backbone rests while the other trains."""

import keras

import keras_csg.choices as choices
from keras_csg.layers.frozen_statistics import (
    FrozenStatisticsBatchNormalization,
    freeze_statistics,
)
from keras_csg.private_api import flat_layers

ADDED_CONVOLUTION = "gated_conv"
"""Name of the layer that `filters` puts behind a backbone; it never rests."""


def freeze_backbone(backbone: keras.Model, freeze: int | str | None) -> None:
    """Makes a part of a backbone rest, in place.

    What rests keeps its weights, and its batch normalizations normalize by
    their running statistics, in training too.

    Args:
        backbone: functional `keras.Model`, with its weights in place.
        freeze: `"all"`; the number of layers that rest, the first that have
            weights, in the order of `backbone.layers` and with batch
            normalizations counted; `"statistics"`, those of the batch
            normalizations alone; or `None`.

    Raises:
        ValueError: if `freeze` is nothing of these, more than there are, or
            of statistics where there are none.
    """
    choices.check_freeze(freeze)
    if freeze is None:
        return
    if freeze == "statistics":
        freeze_statistics(backbone)
        if not any(map(_keeps_statistics, flat_layers(backbone))):
            raise ValueError(
                f"`freeze` of statistics has no effect: {backbone.name} has no "
                f"batch normalization. Received: freeze={freeze!r}"
            )
        return
    layers = [layer for layer in backbone.layers if layer.weights]
    number = len(layers) if isinstance(freeze, str) else freeze
    if number > len(layers):
        raise ValueError(
            f"`freeze` must be at most {len(layers)}, the layers of "
            f"{backbone.name} with weights. Received: freeze={freeze}"
        )
    for layer in layers[:number]:
        layer.trainable = False


def _keeps_statistics(layer):
    return isinstance(layer, FrozenStatisticsBatchNormalization)


def rests(backbone: keras.Model) -> bool:
    """Whether nothing of a backbone trains but what `filters` added."""
    layers = [
        layer
        for layer in backbone.layers
        if layer.weights and layer.name != ADDED_CONVOLUTION
    ]
    return bool(layers) and not any(layer.trainable_weights for layer in layers)
