"""The neighbors of each sample once one class is left out.

Leaving out a class that is not among a sample's `k` nearest changes nothing,
so at most `k` classes per sample need work, however many classes there are.
"""

from typing import NamedTuple

import numpy as np

from keras_csg.metrics._information.neighbor_counts import (
    SortedSamples,
    counts_within,
)


class LostNeighbors(NamedTuple):
    """Every sample with every other class among its `k` neighbors, once.

    Attributes:
        samples: `(pairs,)` int. Indices in ascending order of the feature.
        classes: `(pairs,)` int. The class left out.
        lost: `(pairs,)` int. How many of the neighbors are of that class.
    """

    samples: np.ndarray
    classes: np.ndarray
    lost: np.ndarray


def lost_neighbors(data: SortedSamples, windows: np.ndarray) -> LostNeighbors:
    """Finds the neighbors that leaving out one class takes away.

    Args:
        data: `SortedSamples`.
        windows: `(samples,)` int from `all_counts`.

    Returns:
        `LostNeighbors`.
    """
    own = data.labels[data.k : -data.k]
    near = [data.labels.take(windows + i) for i in range(data.k + 1)]
    parts = []
    for i, label in enumerate(near):
        new = label != own
        for earlier in near[:i]:
            new &= label != earlier
        samples = np.flatnonzero(new)
        classes = label.take(samples)
        lost = np.ones(samples.size, np.intp)
        for later in near[i + 1 :]:
            lost += later.take(samples) == classes
        parts.append((samples, classes, lost))
    return LostNeighbors(*map(np.concatenate, zip(*parts, strict=True)))


def rest_counts(
    data: SortedSamples,
    distances: np.ndarray,
    windows: np.ndarray,
    pairs: LostNeighbors,
) -> np.ndarray:
    """Counts up to the k-th neighbor among the samples not of one class.

    For each neighbor lost, the window grows by the nearest sample outside it
    that is not of the class.

    Args:
        data: `SortedSamples`.
        distances: `(samples,)` from `all_counts`.
        windows: `(samples,)` int from `all_counts`.
        pairs: `LostNeighbors`.

    Returns:
        `(pairs,)` int. As in Ross's estimate, samples of the class count too.
        Meaningless if `k` samples or fewer are not of the class.
    """
    positions, classes = pairs.samples + data.k, pairs.classes
    first = windows.take(pairs.samples)
    grown = _grow(data, positions, classes, first, first + data.k)
    for step in range(2, data.k + 1):
        more = np.flatnonzero(pairs.lost >= step)
        window = [edge.take(more) for edge in grown[3:]]
        again = _grow(data, positions.take(more), classes.take(more), *window)
        for old, new in zip(grown, again, strict=True):
            old[more] = new
    added, left, right, *_ = grown
    # With a tie, the sample added may be nearer than one in the window.
    distances = np.maximum(distances.take(pairs.samples), added)
    return counts_within(data, positions, distances, left, right)


def _grow(data, positions, classes, first, last):
    """Adds to each window the nearest sample outside it not of a class.

    Returns:
        Distances to the samples added, the first and the last positions that
        are nearer, the first and the last positions of the windows.
    """
    center = data.values.take(positions)
    earlier = _not_of(classes, first - 1, data.labels, data.before)
    later = _not_of(classes, last + 1, data.labels, data.after)
    to_left = center - data.values.take(earlier)
    to_right = data.values.take(later) - center
    is_left = to_left < to_right
    return (
        np.minimum(to_left, to_right),
        np.where(is_left, earlier + 1, first),
        np.where(is_left, last, later - 1),
        np.where(is_left, earlier, first),
        np.where(is_left, last, later),
    )


def _not_of(classes, positions, labels, others):
    is_class = labels.take(positions) == classes
    return np.where(is_class, others.take(positions), positions)


def few_rest_counts(data: SortedSamples, label: int) -> np.ndarray:
    """Counts for a class outside which there are `k` samples or fewer.

    Each of them takes all the others as its neighbors.

    Args:
        data: `SortedSamples`.
        label: int. The class left out.

    Returns:
        `(rest,)` int.
    """
    inside = data.labels[data.k : -data.k]
    rest = np.flatnonzero(inside != label) + data.k
    values = data.values.take(rest)
    distances = np.maximum(values - values[0], values[-1] - values)
    return counts_within(data, rest, distances, rest, rest)
