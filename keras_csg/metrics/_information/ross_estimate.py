"""Ross's estimate of the information a number gives about a class."""

from functools import lru_cache

import numpy as np

from keras_csg.metrics._information.lost_neighbors import (
    few_rest_counts,
    lost_neighbors,
    rest_counts,
)
from keras_csg.metrics._information.neighbor_counts import (
    all_counts,
    own_counts,
    sort_samples,
)


def one_against_rest(
    feature: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    n_neighbors: int,
) -> np.ndarray:
    """Estimates `I(feature; 1[label = c])` for every class `c`.

    With the `n` samples in two groups, those of the class and the rest, each
    of `n_g` samples, it is the mean over the samples of

    `psi(n) + psi(k) - psi(n_g) - psi(m)`

    where `psi` is the digamma function, `k` is `n_neighbors` or, if fewer,
    `n_g - 1`, and `m` counts the samples of both groups nearer than the k-th
    neighbor in the own group, the sample itself included.

    Args:
        feature: Float64 array of shape `(samples,)`, finite.
        labels: Int array of shape `(samples,)`, in `[0, num_classes)`.
        num_classes: int.
        n_neighbors: int, at least 1.

    Returns:
        `(num_classes,)`, in nats, at least 0; 0 for a class that leaves one
        of the two groups with fewer than two samples.

    Reference:
        - [Ross, 2014](https://doi.org/10.1371/journal.pone.0087357)
    """
    samples = feature.size
    k = min(n_neighbors, samples - 1)
    information = np.zeros(num_classes)
    if k == 0:
        return information
    data = sort_samples(feature, labels, num_classes, k)
    psi = _digamma(samples)
    groups = np.stack([data.sizes, samples - data.sizes])
    kth = np.clip(groups - 1, 1, k)
    terms = groups * (psi[kth] - psi[groups])
    mean = (terms.sum(0) - _sum_over_samples(data, psi)) / samples
    usable = has_two_groups(data.sizes)
    information[usable] = np.maximum(0, psi[samples] + mean[usable])
    return information


def has_two_groups(sizes: np.ndarray) -> np.ndarray:
    """Classes of which, and outside which, there are two samples at least."""
    return (sizes >= 2) & (sizes.sum() - sizes >= 2)


@lru_cache(maxsize=1)
def _digamma(largest):
    """The digamma function of 1, 2, ... `largest`, after an unused entry."""
    harmonic = np.cumsum(1 / np.arange(1, largest))
    return np.concatenate([[0, 0], harmonic]) - np.euler_gamma


def _sum_over_samples(data, psi):
    """Sum of `psi(m)` over all samples, for each class `(classes,)`."""
    num_classes = data.sizes.size
    by_class = np.repeat(np.arange(num_classes), data.sizes)
    own = psi.take(own_counts(data))
    return np.bincount(by_class, own, num_classes) + _sum_over_rest(data, psi)


def _sum_over_rest(data, psi):
    num_classes = data.sizes.size
    counts, distances, windows = all_counts(data)
    every = psi.take(counts)
    own = np.bincount(data.labels[data.k : -data.k], every, num_classes)
    pairs = lost_neighbors(data, windows)
    change = psi.take(rest_counts(data, distances, windows, pairs))
    change -= every.take(pairs.samples)
    rest = every.sum() - own
    rest += np.bincount(pairs.classes, change, num_classes)
    left = data.sizes.sum() - data.sizes
    # With so few others, `rest_counts` has not found `k` neighbors.
    for label in np.flatnonzero((left > 1) & (left <= data.k)):
        rest[label] = psi.take(few_rest_counts(data, label)).sum()
    return rest
