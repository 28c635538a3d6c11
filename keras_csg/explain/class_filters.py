"""Which filters add to a class's logit, and how much."""

import numpy as np
from keras import ops

from keras_csg.metrics.gates import own_filters
from keras_csg.metrics.head import Head
from keras_csg.models.classifier import CSGClassifier

GRADIENT_MAP_FILTERS = 30
"""Filters of a class that its gradient map is the mean of, at most."""


def head_of(model: CSGClassifier) -> Head:
    """Returns a copy of the head and the gate of a classifier.

    Args:
        model: `CSGClassifier`.

    Returns:
        `Head`, of float32.

    Raises:
        ValueError: if the weights are not finite.
    """
    weights = [*model.head.weights]
    if model.gated:
        weights.append(model.gate.gate_matrix)
    return Head(*(ops.convert_to_numpy(weight) for weight in weights))


def gate_rows(model: CSGClassifier) -> np.ndarray:
    """Returns the gate matrix `(classes, filters)`, float32.

    Raises:
        ValueError: if the model has no gate.
    """
    if not model.gated:
        raise ValueError(
            "The model has no gate: it was built with `gated=False`. Ask for "
            "its maps with `gated=False`."
        )
    return ops.convert_to_numpy(model.gate.gate_matrix)


def class_weights(model: CSGClassifier, gated: bool) -> np.ndarray:
    """Returns what each filter adds to each class's logit.

    Args:
        model: `CSGClassifier`.
        gated: bool. Whether the gate scales the head's weights: `W * G`.

    Returns:
        float32 array of shape `(classes, filters)`.
    """
    kernel = ops.convert_to_numpy(model.head.kernel).T
    return kernel * gate_rows(model) if gated else kernel


def candidate_filters(model: CSGClassifier, gated: bool) -> np.ndarray:
    """Returns the filters that each class's maps may be made of.

    Args:
        model: `CSGClassifier`.
        gated: bool. `True` for the class's own filters, those whose gate is
            fully open to it; `False` for all.

    Returns:
        bool array of shape `(classes, filters)`.
    """
    if gated:
        return own_filters(gate_rows(model))
    return np.ones((model.num_classes, model.filters), bool)


def top_filters(
    features: np.ndarray,
    classes: np.ndarray,
    candidates: np.ndarray,
    most: int = GRADIENT_MAP_FILTERS,
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses the filters most active for each class, on average.

    Args:
        features: array of shape `(samples, filters)`.
        classes: ints of shape `(samples,)`: the class of each sample.
        candidates: bool array of shape `(num_classes, filters)`: those to
            choose from.
        most: int. Number of filters.

    Returns:
        int array of shape `(num_classes, n)`, n at most `most`, the most
        active first, and a bool array of that shape: which of them count. A
        class with fewer candidates has fewer that count; one without samples
        takes its candidates in their order.
    """
    sums = np.zeros(candidates.shape)
    np.add.at(sums, classes, features)
    counts = np.bincount(classes, minlength=len(candidates))
    means = sums / np.maximum(counts, 1)[:, None]
    means = np.where(candidates, means, -np.inf)
    most = min(most, max(1, candidates.sum(axis=1).max()))
    chosen = np.argsort(-means, axis=1, kind="stable")[:, :most]
    return chosen, np.take_along_axis(candidates, chosen, axis=1)
