"""The filters that know most of a class, gate or no gate."""

import os
from collections.abc import Sequence

import numpy as np

import keras_csg.metrics as metrics


def telling_filters(
    features: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[int],
    count: int,
    *,
    num_classes: int,
) -> np.ndarray:
    """Returns the filters that tell some classes best.

    By the mutual information of a filter's average activation and whether an
    image is of the class; of several classes by the largest.

    Args:
        features: array of shape `(samples, filters)`.
        labels: ints of shape `(samples,)`.
        classes: numbers of the classes.
        count: int. How many filters.
        num_classes: int.

    Returns:
        int array of shape `(count,)`, the most telling first.
    """
    information = metrics.mutual_information(
        features, labels, num_classes=num_classes, n_jobs=os.cpu_count() or 1
    )
    best = information[list(classes)].max(axis=0)
    return np.argsort(-best, kind="stable")[:count]
