"""What of a classifier rests, by name: a saved model has to know.

Keras saves whether a layer of a graph is trainable, but not so of the head and
the gate, which a classifier makes anew, and of layers within others. Nor does
it save that statistics rest within another layer, which makes its own anew.
"""

from collections.abc import Iterable
from typing import Any

import keras

from keras_csg.layers.frozen_statistics import (
    FrozenStatisticsBatchNormalization,
    freeze_statistics,
)
from keras_csg.private_api import flat_layers

STATISTICS = "/statistics"
"""Behind the name of a batch normalization of which these alone rest."""


def frozen_parts(model: Any) -> list[str]:
    """Returns the names of the layers with weights that are not trainable.

    Of those within others with `STATISTICS` behind it where these rest.

    Args:
        model: `CSGClassifier`.
    """
    parts = _parts(model)
    names = [
        name
        for name, layer in parts.items()
        if layer.weights and not layer.trainable
    ]
    return names + [
        name + STATISTICS
        for name, layer in parts.items()
        if isinstance(layer, FrozenStatisticsBatchNormalization)
        and name.count("/") > 1
    ]


def freeze_parts(model: Any, names: Iterable[str]) -> None:
    """Makes layers rest.

    Args:
        model: `CSGClassifier`.
        names: as `frozen_parts` returns them.

    Raises:
        ValueError: if the model has no layer of a name.
    """
    parts = _parts(model)
    for name in names:
        whole = name.removesuffix(STATISTICS)
        if whole not in parts:
            raise ValueError(
                "`frozen` must name layers of the classifier: head, gate, or "
                f"backbone/NAME. Received: frozen={name!r}"
            )
        if whole == name:
            parts[name].trainable = False
        else:
            freeze_statistics(parts[whole])


def _parts(model) -> dict[str, keras.layers.Layer]:
    """Returns all layers of a classifier; those within others are numbered."""
    parts = {"head": model.head}
    if model.gate is not None:
        parts["gate"] = model.gate
    for layer in model.backbone.layers:
        outer, *inner = flat_layers(layer)
        parts[f"backbone/{layer.name}"] = outer
        for number, part in enumerate(inner):
            parts[f"backbone/{layer.name}/{number}"] = part
    return parts
