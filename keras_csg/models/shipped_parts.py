"""A whole classifier from weights that come with the package."""

import dataclasses
from typing import Any

import keras

from keras_csg.backbones.weights import (
    WeightsCard,
    WeightsReport,
    read_model_file,
)
from keras_csg.layers.states import take_state
from keras_csg.models.arguments import LAMBDAS
from keras_csg.models.classifier import CSGClassifier

KEPT = (
    "gated",
    "multi_label",
    *LAMBDAS,
    "filter_dropout",
    "density",
    "class_names",
    "filter_names",
)
"""Arguments that are those of the weights unless somebody says otherwise."""


def same_classes(
    card: WeightsCard, num_classes: int, class_names: Any = None
) -> bool:
    """Whether weights tell the classes that a classifier is to tell.

    Args:
        card: `WeightsCard`.
        num_classes: number of the classifier's classes.
        class_names: their names, `None` if it does not matter.
    """
    known = card.class_names
    return num_classes == len(known) and (
        class_names is None or tuple(class_names) == known
    )


def trained_classifier(
    backbone: keras.Model,
    card: WeightsCard,
    report: WeightsReport,
    **kwargs: Any,
) -> CSGClassifier:
    """Builds a classifier with the head and the gate of the weights, too.

    The gate is taken where both have one that closes the same way.

    Args:
        backbone: `keras.Model` with the weights of the card.
        card: `WeightsCard`.
        report: `WeightsReport` on the backbone.
        **kwargs: arguments of `CSGClassifier` that are to be others.
    """
    there = read_model_file(card.path, compile=False)
    own = {name: getattr(there, name) for name in KEPT}
    model = CSGClassifier(backbone, there.num_classes, **{**own, **kwargs})
    parts = {"head": (model.head, there.head), **_gates(model, there)}
    for here, other in parts.values():
        take_state(here, other)
    model.backbone_weights = dataclasses.replace(
        report,
        parts=tuple(name for name in parts if name != "gate_budget"),
        unused=tuple(name for name in report.unused if name not in parts),
    )
    return model


def _gates(model, other):
    """Returns pairs of the layers that make a gate, if both have them."""
    pairs = {
        name: (getattr(model, name), getattr(other, name))
        for name in ("gate", "gate_budget")
    }
    mismatch = any((a is None) != (b is None) for a, b in pairs.values())
    if mismatch:
        return {}
    return {name: pair for name, pair in pairs.items() if pair[0] is not None}
