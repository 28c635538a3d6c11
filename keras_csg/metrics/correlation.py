from typing import NamedTuple

import numpy as np

from keras_csg.metrics.checks import (
    check_features,
    check_filter_classes,
)


class FilterCorrelation(NamedTuple):
    """How alike filters are.

    Attributes:
        same_class: float in `[0, 1]`, between filters of one class; NaN if no
            class has two filters.
        cross_class: float in `[0, 1]`, between filters of different classes;
            NaN if all belong to one.
    """

    same_class: float
    cross_class: float


def filter_correlation(
    vectors: np.ndarray, filter_classes: np.ndarray
) -> FilterCorrelation:
    """Returns the mean absolute cosine between filters, by their classes.

    Every pair of two different filters counts once. A filter whose vector is
    zero has no direction and is left out. The `(filters, filters)` matrix of
    cosines is built.

    Args:
        vectors: array of shape `(filters, size)`, finite, a vector per filter:
            its weights in the head, `kernel`, or its activations over the
            samples, `features.T`.
        filter_classes: ints of shape `(filters,)`, at least 0: the class of
            each filter, such as `classes_of_filters` gives.

    Returns:
        `FilterCorrelation`.

    Raises:
        ValueError: if an argument is not as described.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    vectors = check_features(vectors, "vectors")
    classes = check_filter_classes(filter_classes, len(vectors))
    # Scaled first, so that squares neither overflow nor vanish.
    size = np.abs(vectors).max(axis=1)
    vectors, classes = vectors[size > 0], classes[size > 0]
    vectors = vectors / size[size > 0, None]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.abs(vectors @ vectors.T).clip(max=1)
    same = classes[:, None] == classes
    different = ~np.eye(len(classes), dtype=bool)
    return FilterCorrelation(
        _mean(cosines[same & different]), _mean(cosines[~same])
    )


def _mean(values):
    return float(values.mean(dtype="float64")) if values.size else float("nan")
