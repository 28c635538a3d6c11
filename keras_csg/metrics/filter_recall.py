from typing import NamedTuple

import numpy as np

from keras_csg.metrics.average_precision import THRESHOLD
from keras_csg.metrics.head import Head, check_samples

BLOCK = 2**22
"""Logits that are looked at at a time."""


class FilterRecall(NamedTuple):
    """What of the classes' recalls hangs on their filters.

    A class's filters are those of `Head.classes_of_filters`.

    Attributes:
        recall: array of shape `(classes,)` in `[0, 1]`, of the whole network;
            NaN of classes without samples.
        without: array of shape `(filters,)`: the recall of the filter's class
            when this filter alone is set to zero.
        without_all: array of shape `(classes,)`: the recall of each class when
            all of its filters are set to zero.
    """

    recall: np.ndarray
    without: np.ndarray
    without_all: np.ndarray


def filter_recall(
    features: np.ndarray,
    labels: np.ndarray,
    head: Head,
    *,
    multi_hot: bool = False,
) -> FilterRecall:
    """Sets filters to zero, one by one and class by class, and counts.

    By the standard path. Of a filter the samples of its class alone are looked
    at, so the work grows with `samples * filters`, and the memory that is
    taken with neither.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)` in `[0, classes)`; with `multi_hot`
            zeros and ones `(samples, classes)`.
        head: `Head`.
        multi_hot: bool. Whether a sample may have several classes. One is told
            then at a probability of 0.5, else where its logit is the largest.

    Returns:
        `FilterRecall`.

    Raises:
        ValueError: if an argument is not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import Head, filter_recall
        >>> head = Head(np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2))
        >>> features = np.array([[2.0, 1.0], [2.0, 0.0], [0.0, 1.0]])
        >>> found = filter_recall(features, np.array([0, 0, 1]), head)
        >>> found.recall
        array([1., 1.])
        >>> found.without  # A tie goes to the first class.
        array([0.5, 0. ])
    """
    features, labels = check_samples(features, labels, head, multi_hot)
    classes = head.classes_of_filters()
    recall, without_all = np.full((2, head.num_classes), np.nan)
    without = np.full(head.filters, np.nan)
    for label in range(head.num_classes):
        own = labels[:, label] > 0 if multi_hot else labels == label
        if not own.any():
            continue
        filters = np.flatnonzero(classes == label)
        told = _told(features[own], head, label, filters, multi_hot)
        recall[label], without_all[label] = told[:2] / own.sum()
        without[filters] = told[2:] / own.sum()
    return FilterRecall(recall, without, without_all)


def _told(features, head, label, filters, multi_hot):
    """Counts the samples of a class that are told, `(2 + filters,)`.

    By the whole network, without all of the filters, and without each.
    """
    counts = np.zeros(2 + len(filters))
    step = max(1, BLOCK // ((2 + len(filters)) * head.num_classes))
    kernel = head.kernel[filters]
    for start in range(0, len(features), step):
        some = features[start : start + step]
        logits = head.logits(some)
        some = some[:, filters]
        parts = some[:, :, None] * kernel
        whole = logits[:, None]
        rest = (logits - some @ kernel)[:, None]
        left = np.concatenate([whole, rest, whole - parts], axis=1)
        if multi_hot:
            right = left[:, :, label] >= THRESHOLD
        else:
            right = left.argmax(axis=-1) == label
        counts += right.sum(axis=0)
    return counts
