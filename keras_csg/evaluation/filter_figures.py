"""Figures of filters and their gate, whatever the labels are."""

from typing import Any

import numpy as np

import keras_csg.metrics as metrics


def information_figures(
    information: np.ndarray, classes: np.ndarray, dead: np.ndarray
) -> dict[str, float]:
    """Compares what filters know with the classes that are theirs.

    Args:
        information: array of shape `(classes, filters)`, in nats.
        classes: ints of shape `(filters,)`: the class of each filter.
        dead: bools of shape `(filters,)`: those with one value for all.

    Returns:
        A dict with `mis`, `own_class_mis` and `class_agreement`.
    """
    own = information[classes, np.arange(len(classes))]
    agrees = (own == information.max(axis=0)) & ~dead
    return {
        "mis": float(information.max(axis=0).mean()),
        "own_class_mis": float(own.mean()),
        "class_agreement": float(agrees.mean()),
    }


def correlation_figures(
    features: np.ndarray, kernel: np.ndarray, classes: np.ndarray
) -> dict[str, float]:
    """Compares filters of one class with those of different classes.

    Args:
        features: array of shape `(samples, filters)`.
        kernel: array of shape `(filters, classes)`, of the head.
        classes: ints of shape `(filters,)`: the class of each filter.

    Returns:
        A dict of mean absolute cosines, NaN where there are no such filters.
    """
    by_weights = metrics.filter_correlation(kernel, classes)
    by_activations = metrics.filter_correlation(features.T, classes)
    return {
        "same_class_correlation": by_weights.same_class,
        "cross_class_correlation": by_weights.cross_class,
        "same_class_activation_correlation": by_activations.same_class,
        "cross_class_activation_correlation": by_activations.cross_class,
    }


def density_figures(
    gate_matrix: np.ndarray, density: float | None
) -> dict[str, Any]:
    """Says how open a gate is, and for how many filters.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        density: float in `(0, 1]`, its budget; `None` for `1 / classes`.

    Returns:
        A dict with `l1_density`, `l1_interval`, `filters_per_class` and
        `shared_filters`.
    """
    return {
        "l1_density": metrics.l1_density(gate_matrix),
        "l1_interval": list(metrics.l1_interval(len(gate_matrix), density)),
        "filters_per_class": metrics.filters_per_class(gate_matrix).tolist(),
        "shared_filters": int(metrics.shared_filters(gate_matrix).sum()),
    }
