"""How many samples lie nearer to each sample than its k-th neighbor does.

The neighbors of Ross's estimate along one feature, where sorting replaces a
search tree. Distances are the rounded differences `|x_i - x_j|`. They never
shrink as `j` moves away from `i` in the sorted order, so the samples nearer
than a radius are one interval, and its two edges are found exactly.
"""

from typing import NamedTuple

import numpy as np

# A radius of zero still holds the samples that are equal.
SMALLEST_RADIUS = np.finfo("float64").tiny


class SortedSamples(NamedTuple):
    """One feature's samples in ascending order, `k` of padding on each side.

    Attributes:
        values: `(k + samples + k,)`, infinite in the padding.
        mirrored: The same shape: `-values` in ascending order.
        labels: The same shape, int, negative in the padding.
        before: The same shape: the last earlier position of another label.
        after: The same shape: the first later position of another label.
        sizes: `(classes,)`. Samples of each class.
        k: int. Number of neighbors.
    """

    values: np.ndarray
    mirrored: np.ndarray
    labels: np.ndarray
    before: np.ndarray
    after: np.ndarray
    sizes: np.ndarray
    k: int


def sort_samples(
    feature: np.ndarray, labels: np.ndarray, num_classes: int, k: int
) -> SortedSamples:
    """Sorts one feature `(samples,)` with its labels: `SortedSamples`."""
    order = np.argsort(feature)
    pad = np.full(k, np.inf)
    values = np.concatenate([-pad, feature.take(order), pad])
    labels = np.pad(labels.take(order), k, constant_values=(-1, -2))
    starts = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    lengths = np.diff(starts, prepend=0, append=labels.size)
    return SortedSamples(
        values=values,
        mirrored=np.ascontiguousarray(-values[::-1]),
        labels=labels,
        before=np.repeat(np.append(0, starts) - 1, lengths),
        after=np.repeat(np.append(starts, labels.size), lengths),
        sizes=np.bincount(labels[k:-k], minlength=num_classes),
        k=k,
    )


def nearest_windows(
    values: np.ndarray, first: np.ndarray, last: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the narrowest window of `k + 1` samples around each sample.

    Args:
        values: `(samples,)`, ascending.
        first: `(samples + k,)`. The lowest value of each window, the first of
            which ends at the first sample; `-inf` forbids a window.
        last: The same shape: the highest value of each window.
        k: int. Number of neighbors.

    Returns:
        Distances to the k-th neighbors (`inf` where every window is
        forbidden) and indices of the windows, both `(samples,)`.
    """
    samples = np.arange(values.size)
    distances = np.full(values.size, np.inf)
    windows = samples
    for start in range(k + 1):
        here = slice(start, start + values.size)
        farthest = np.maximum(values - first[here], last[here] - values)
        windows = np.where(farthest < distances, samples + start, windows)
        np.minimum(distances, farthest, out=distances)
    return distances, windows


def all_counts(
    data: SortedSamples,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts up to the k-th neighbor among all samples, of any class.

    Args:
        data: `SortedSamples`, more than `k`.

    Returns:
        Counts, distances to the k-th neighbors, and the positions where the
        windows of each sample and its `k` neighbors start, all `(samples,)`.
    """
    k, values = data.k, data.values
    center = values[k:-k]
    distances, windows = nearest_windows(center, values[:-k], values[k:], k)
    counts = np.ones(center.size, np.intp)
    for step in range(1, k + 1):
        counts += values[k + step :][: center.size] - center < distances
        counts += center - values[k - step :][: center.size] < distances
    equal = np.flatnonzero(distances == 0)  # There may be more than `k`.
    here, radius = equal + k, distances[equal]
    counts[equal] = counts_within(data, here, radius, here, here)
    return counts, distances, windows


def own_counts(data: SortedSamples) -> np.ndarray:
    """Counts up to the k-th neighbor among the samples of the same class.

    Args:
        data: `SortedSamples`. In a class of `k` samples or fewer each takes
            all the others as its neighbors.

    Returns:
        `(samples,)` int, class after class.
    """
    k = data.k
    by_class = np.argsort(data.labels[k:-k], kind="stable") + k
    distances, windows = _distances_in_groups(
        data.values.take(by_class), data.sizes, k
    )
    pad = np.zeros(k, np.intp)
    left = np.concatenate([pad, by_class]).take(windows) + 1
    right = np.concatenate([by_class, pad]).take(windows) - 1
    return counts_within(data, by_class, distances, left, right)


def _distances_in_groups(values, sizes, k):
    groups = np.repeat(np.arange(sizes.size), sizes)
    whole = groups[k:] == groups[:-k]
    pad = np.full(k, np.inf)
    first = np.concatenate([-pad, np.where(whole, values[:-k], -np.inf), -pad])
    last = np.concatenate([values, pad])
    distances, windows = nearest_windows(values, first, last, k)
    few = np.flatnonzero(np.isinf(distances))
    ends = np.cumsum(sizes)[groups[few]]
    lowest = values[ends - sizes[groups[few]]]
    farthest = np.maximum(values[few] - lowest, values[ends - 1] - values[few])
    distances[few] = farthest
    return distances, windows


def counts_within(
    data: SortedSamples,
    positions: np.ndarray,
    distances: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
) -> np.ndarray:
    """Number of samples nearer than a distance, those in the middle included.

    Args:
        data: `SortedSamples`.
        positions: `(queries,)` int. The samples in the middle.
        distances: `(queries,)`. To the k-th neighbor, which is not counted;
            at distance zero all equal samples are.
        left: `(queries,)` int. Guesses of the first position within. A good
            one saves a search.
        right: `(queries,)` int. Guesses of the last one.

    Returns:
        `(queries,)` int.
    """
    radius = np.maximum(distances, SMALLEST_RADIUS)
    center = data.values.take(positions)
    end = data.values.size - 1
    right = _reach(data.values, center, radius, right)
    left = end - _reach(data.mirrored, -center, radius, end - left)
    return right - left + 1


def _reach(values, center, radius, guess):
    """The last positions to the right that are nearer than `radius`."""
    wrong = values.take(guess + 1) - center < radius
    wrong |= values.take(guess) - center >= radius
    wrong = np.flatnonzero(wrong)
    center, radius = center.take(wrong), radius.take(wrong)
    found = np.searchsorted(values, center + radius) - 1
    while True:  # The sum was rounded: step until it makes no difference.
        step = (values.take(found + 1) - center < radius).astype(np.intp)
        step -= values.take(found) - center >= radius
        if not step.any():
            break
        found += step
    result = guess.copy()
    result[wrong] = found
    return result
