"""What can be done to a trained classifier without training it."""

import logging
from typing import Any

import numpy as np

from keras_csg.edit.choosing import (
    Classes,
    class_numbers,
    filter_numbers,
    filters_of,
    gate_of,
)
from keras_csg.edit.report import counted, some_of
from keras_csg.edit.smaller import smaller_classifier
from keras_csg.metrics import dead_filters, shared_filters
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier

_logger = logging.getLogger("keras_csg")

NO_GATE = (
    "Without a gate no filter belongs to a class: the head's column is removed "
    "and every filter stays, with what it knows of the class."
)


def remove_filters(model: CSGClassifier, filters: Any) -> CSGClassifier:
    """Returns a classifier without some filters.

    The last convolution, its normalization, the head and the gate lose what
    belongs to them. The logits are those of `model` with these filters'
    features set to zero.

    Args:
        model: `CSGClassifier`, with or without a gate; it stays as it is.
        filters: int, or several of them: numbers of the filters.

    Returns:
        A new `CSGClassifier`, not compiled, with layers and weights of its
        own. Its `edit_report`, an `EditReport`, says what was done, and where
        a channel is dropped but still computed.

    Raises:
        ValueError: if there is no such filter, or none would be left.

    Example:
    >>> model = keras_csg.build("resnet20", 10)
    >>> smaller = keras_csg.edit.remove_filters(model, [3, 17])
    >>> model.filters, smaller.filters
    (64, 62)
    """
    return _told(smaller_classifier(model, filter_numbers(model, filters)))


def remove_class(model: CSGClassifier, classes: Classes) -> CSGClassifier:
    """Returns a classifier that does not know a class any more.

    Its column of the head goes, its row of the gate, and the filters that are
    its alone: those that the gate is fully open to it, and to no other class
    by half. One that another class shares stays, fully open to its best class.
    Of a network without a gate no filter is known to be the class's: the
    column goes and the filters stay.

    Args:
        model: `CSGClassifier`; it stays as it is.
        classes: name or number of a class, or several of them.

    Returns:
        As `remove_filters`. The other classes' logits are those of `model`
        with the removed filters' features set to zero.

    Raises:
        ValueError: if there is no such class (the nearest are named), or fewer
            than two classes, or no filter, would be left.

    Example:
    >>> names = [f"class {number}" for number in range(10)]
    >>> model = keras_csg.build("resnet20", 10, class_names=names)
    >>> keras_csg.edit.remove_class(model, "class 3").num_classes
    9
    """
    return _told(_without(model, class_numbers(model, classes)))


def keep_classes(model: CSGClassifier, classes: Classes) -> CSGClassifier:
    """Returns a classifier that knows some classes alone.

    All others are removed, as by `remove_class`.

    Args:
        model: `CSGClassifier`; it stays as it is.
        classes: names or numbers of two classes or more. They stay in the
            order of `model`.

    Returns:
        As `remove_class`.

    Raises:
        ValueError: as `remove_class`.
    """
    kept = class_numbers(model, classes)
    others = set(range(model.num_classes)) - set(kept)
    if not others:
        raise ValueError(
            f"All {model.num_classes} classes are to be kept: at least one "
            "must be left out."
        )
    return _told(_without(model, sorted(others)))


def prune_shared(model: CSGClassifier) -> CSGClassifier:
    """Returns a classifier without the filters that serve several classes.

    Those that the gate is open to two classes or more by half at least
    (`keras_csg.metrics.shared_filters`).

    Args:
        model: `CSGClassifier` with a gate; it stays as it is.

    Returns:
        As `remove_filters`.

    Raises:
        ValueError: if the model has no gate, no filter is shared, or all are.
    """
    shared = np.flatnonzero(shared_filters(gate_of(model)))
    if not len(shared):
        raise ValueError("No filter is shared: there is nothing to prune.")
    if len(shared) == model.filters:
        raise ValueError(
            "All filters are shared, and none would be left: the gate has not "
            "closed."
        )
    return _told(smaller_classifier(model, shared))


def prune_dead(model: CSGClassifier, features: np.ndarray) -> CSGClassifier:
    """Returns a classifier without the filters that answer always the same.

    What a filter answers, mostly 0, the head's bias takes over: the logits
    stay what they are.

    Args:
        model: `CSGClassifier`; it stays as it is.
        features: array of shape `(samples, filters)`: of two images or more,
            such as those of `keras_csg.evaluation.FeatureExtractor`. Only
            images like the ones in use say which filters are dead.

    Returns:
        As `remove_filters`.

    Raises:
        ValueError: if the features are not as described, no filter is dead, or
            all are.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.shape[1] != model.filters:
        raise ValueError(
            f"`features` must have shape (samples, {model.filters}). "
            f"Received: features.shape={features.shape}"
        )
    if len(features) < 2:
        raise ValueError(
            "`features` must be of two images at least: of one, every filter "
            "answers always the same. Received: features.shape="
            f"{features.shape}"
        )
    dead = np.flatnonzero(dead_filters(features))
    if not len(dead):
        raise ValueError(
            f"No filter is dead over {len(features):,} images: there is "
            "nothing to prune."
        )
    return _told(smaller_classifier(model, dead, constants=features[0]))


def _without(model, classes):
    """Returns a classifier without classes, and what is theirs alone."""
    if not model.gated:
        none = np.zeros(0, int)
        return smaller_classifier(model, none, classes, notes=[NO_GATE])
    own, shared = filters_of(gate_of(model), classes)
    notes = []
    if len(shared):
        notes.append(
            f"{counted(len(shared), 'filter')} of theirs another class has as "
            f"well: {some_of(shared.tolist())} stay."
        )
    if len(own) == model.filters:
        names = class_names_of(model)
        raise ValueError(
            "No filter would be left: all are those of "
            f"{some_of([names[number] for number in classes])}."
        )
    return smaller_classifier(model, own, classes, shared=shared, notes=notes)


def _told(model):
    for line in model.edit_report.lines():
        _logger.info("%s", line)
    return model
