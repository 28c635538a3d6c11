"""How open a gate is, and which filters answer for which class."""

import numpy as np

from keras_csg.metrics.checks import check_features, check_gate

FULLY_OPEN = 1.0
"""Entry of the gate from which a filter is a class's own."""

SHARED_FROM = 0.5
"""Entry from which a filter serves a class."""


def l1_density(gate_matrix: np.ndarray) -> float:
    """Returns how open the gate is: `sum(|G|) / (classes * filters)`.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.

    Returns:
        float in `[0, 1]`; at least `1 / classes` where every filter is fully
        open to one class.

    Raises:
        ValueError: if the gate matrix is not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import l1_density
        >>> l1_density(np.array([[1.0, 0.0], [0.5, 1.0]]))
        0.625

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    return float(np.mean(check_gate(gate_matrix), dtype="float64"))


def l1_interval(
    num_classes: int, density: float | None = None
) -> tuple[float, float]:
    """Returns the least and the largest density that training asks for.

    Every column of the gate has a largest entry of exactly 1 and the others in
    `[0, 1]`, so the L1 norm is at least the number of filters `K`: density
    `1 / C`. The sparsity penalty is silent up to `density * C * K`, which no
    gate undercuts if it is below `K`. So the interval is
    `[1 / C, max(density, 1 / C)]`, a single point at the default density. The
    upper end is what the penalty pulls to, not a hard bound.

    Args:
        num_classes: int `C`, at least 1.
        density: float in `(0, 1]`, the budget; `None` for `1 / C`.

    Returns:
        A tuple of two floats in `(0, 1]`, in the unit of `l1_density`.

    Raises:
        ValueError: if an argument is out of its range.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    if num_classes < 1:
        raise ValueError(
            "`num_classes` must be at least 1. "
            f"Received: num_classes={num_classes}"
        )
    if density is not None and not 0 < density <= 1:
        raise ValueError(
            f"`density` must be in (0, 1], or None. Received: density={density}"
        )
    floor = 1 / num_classes
    return floor, max(floor, density or 0.0)


def own_filters(gate_matrix: np.ndarray) -> np.ndarray:
    """Returns which filters are fully open to which class.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.

    Returns:
        bool array of shape `(classes, filters)`. A filter with several entries
        of 1 is every one of those classes' own.
    """
    return check_gate(gate_matrix) >= FULLY_OPEN


def filters_per_class(gate_matrix: np.ndarray) -> np.ndarray:
    """Returns how many filters each class has as its own.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.

    Returns:
        int array of shape `(classes,)`. A filter fully open to several classes
        counts for each of them, so the sum can exceed `filters`.
    """
    return own_filters(gate_matrix).sum(axis=1)


def shared_filters(
    gate_matrix: np.ndarray, threshold: float = SHARED_FROM
) -> np.ndarray:
    """Returns which filters serve several classes.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        threshold: float. The gate's entry from which a filter serves a class.

    Returns:
        bool array of shape `(filters,)`: more than one entry of at least
        `threshold`.
    """
    return (check_gate(gate_matrix) >= threshold).sum(axis=0) > 1


def classes_of_filters(weights: np.ndarray) -> np.ndarray:
    """Returns the class that each filter adds to most.

    Args:
        weights: array of shape `(classes, filters)`: the gate matrix or, for a
            network without a gate, the transposed kernel of the head.

    Returns:
        int array of shape `(filters,)`: the class of the largest entry of each
        column, the first of them if there are several.
    """
    return check_features(weights, "weights").argmax(axis=0)


def dead_filters(features: np.ndarray) -> np.ndarray:
    """Returns which filters tell nothing: the same value for every sample.

    Args:
        features: array of shape `(samples, filters)`, finite.

    Returns:
        bool array of shape `(filters,)`. After a ReLU these are the filters
        that are never active; a constant other than zero counts too. One
        sample makes every filter dead.
    """
    features = check_features(features)
    return features.min(axis=0) == features.max(axis=0)


def ordered_by_class(gate_matrix: np.ndarray) -> np.ndarray:
    """Returns the matrix `(classes, filters)`, filters by their best class."""
    return gate_matrix[:, order_by_class(gate_matrix)]


def order_by_class(gate_matrix: np.ndarray) -> np.ndarray:
    """Returns the numbers of the filters by their best class, `(filters,)`."""
    return gate_matrix.argmax(axis=0).argsort(kind="stable")
