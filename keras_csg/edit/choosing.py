"""Which filters and classes are meant, and which filters are a class's."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_csg.metrics.gates import SHARED_FROM, own_filters
from keras_csg.models.class_names import class_names_of, class_number
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.filter_names import filter_numbers as numbers_of

Classes = str | int | Sequence[str | int]
"""A class or several, by name or by number."""


def check_classifier(model: Any) -> None:
    """Refuses what is no `CSGClassifier`.

    Raises:
        ValueError: naming its type.
    """
    if not isinstance(model, CSGClassifier):
        raise ValueError(
            "`model` must be a `CSGClassifier`. "
            f"Received: model of type {type(model).__name__}"
        )


def filter_numbers(model: CSGClassifier, filters: Any) -> np.ndarray:
    """Returns the numbers of filters, each once and ascending.

    Args:
        model: `CSGClassifier`.
        filters: number or name of a filter, or several of them.

    Raises:
        ValueError: if there is none, or one that the model does not have, with
            the nearest names.
    """
    check_classifier(model)
    numbers = numbers_of(filters, model.filters, model.filter_names)
    if not len(numbers):
        raise ValueError("`filters` must name at least one. Received: none")
    return numbers


def class_numbers(model: CSGClassifier, classes: Classes) -> list[int]:
    """Returns the numbers of classes, each once and ascending.

    Args:
        model: `CSGClassifier`.
        classes: name or number of a class, or several of them; several names
            may stand in one str, between commas.

    Raises:
        ValueError: if there is none, or one that the model does not have, with
            the nearest that it has.
    """
    check_classifier(model)
    known = class_names_of(model)
    if isinstance(classes, str | int):
        classes = [classes]
    given = [name for some in classes for name in _apart(some, known)]
    if not given:
        raise ValueError("`classes` must name at least one. Received: none")
    return sorted({class_number(known, name) for name in given})


def _apart(given, known):
    """Returns the names in a text with commas, which a name may have, too."""
    if not isinstance(given, str) or given in known:
        return [given]
    return [name.strip() for name in given.split(",")]


def gate_of(model: CSGClassifier) -> np.ndarray:
    """Returns the gate matrix `(classes, filters)`, float32.

    Raises:
        ValueError: if the model has no gate.
    """
    check_classifier(model)
    return ops.convert_to_numpy(model.require_gate().gate_matrix)


def filters_of(
    gate_matrix: np.ndarray, classes: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the filters of some classes: theirs alone, and shared ones.

    A filter is theirs where the gate is fully open to one of them. It is
    shared where the gate is open to another class by half at least
    (`keras_csg.metrics.shared_filters`).

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        classes: numbers of the classes.

    Returns:
        A tuple of two int arrays, ascending.
    """
    theirs = own_filters(gate_matrix)[list(classes)].any(axis=0)
    others = np.delete(gate_matrix, list(classes), axis=0)
    serves = (others >= SHARED_FROM).any(axis=0)
    return np.flatnonzero(theirs & ~serves), np.flatnonzero(theirs & serves)
