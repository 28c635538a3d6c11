"""Labelled numbers to look for neighbors among, most of them tied."""

import numpy as np

from keras_csg.metrics._information.neighbor_counts import sort_samples


def tied_samples(k, samples=40, classes=3, values=12, seed=0):
    rng = np.random.default_rng(seed)
    feature = rng.integers(0, values, samples) / 8
    labels = rng.permutation(np.arange(samples) % classes)
    return sort_samples(feature, labels, classes, k)


def inside(data):
    """Values and labels without the padding, in ascending order."""
    return data.values[data.k : -data.k], data.labels[data.k : -data.k]


def kth_distance(values, center, k):
    """To the k-th neighbor of a value, itself left out."""
    return np.sort(np.abs(values - center))[k]


def nearer(values, center, distance):
    """How many are nearer, the value itself and its equals included."""
    gaps = np.abs(values - center)
    return max(np.sum(gaps < distance), np.sum(gaps == 0))
