"""Against Ross's formula."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import digamma

from keras_csg.metrics._information import one_against_rest


def ross(feature, label, k):
    """Ross's formula, sample by sample, every distance looked at."""
    terms = []
    for i, own in enumerate(label):
        distances = np.abs(feature - feature[i])
        group = np.sort(np.delete(distances, i)[np.delete(label, i) == own])
        radius = np.nextafter(group[: min(k, group.size)][-1], 0)
        nearer = np.sum(distances <= radius)
        sizes = digamma(min(k, group.size)) - digamma(group.size + 1)
        terms.append(digamma(label.size) + sizes - digamma(nearer))
    return max(0, np.mean(terms))


def all_ross(feature, labels, classes, k):
    return [ross(feature, labels == label, k) for label in range(classes)]


def test_separated_classes_by_hand():
    feature = np.array([0.0, 1.0, 2.0, 3.0, 100.0, 101.0, 102.0, 103.0])
    labels = np.repeat([0, 1], 4)
    # The third neighbors are at 3, 2, 2, 3, and always three samples nearer:
    # for the second of a class, itself, the first and the third.
    expected = digamma(8) + digamma(3) - digamma(4) - digamma(3)
    information = one_against_rest(feature, labels, 2, 3)
    assert_allclose(information, expected, atol=1e-12)
    assert math.isclose(expected, 1 / 4 + 1 / 5 + 1 / 6 + 1 / 7)


def test_alternating_classes_by_hand():
    # 0 1 2 3 4 5 6 7 of classes 0 1 0 1 ...: the nearest of the own class is
    # two away, the samples nearer are one on each side and itself.
    feature, labels = np.arange(8.0), np.arange(8) % 2
    nearer = np.array([2, 3, 3, 3, 3, 3, 3, 2])
    expected = digamma(8) + digamma(1) - digamma(4) - digamma(nearer).mean()
    assert_allclose(one_against_rest(feature, labels, 2, 1), max(0, expected))


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("values", [2, 5, 30, 10**9])
def test_follows_the_formula_with_ties(k, values):
    rng = np.random.default_rng(values + k)
    for samples in [4, 5, 8, 13, 40, 90]:
        feature = rng.integers(0, values, samples) / 7
        labels = rng.permutation(np.arange(samples) % (samples // 2) % 4)
        assert_allclose(
            one_against_rest(feature, labels, 4, k),
            [
                ross(feature, labels == label, k)
                if 2 <= np.sum(labels == label) <= samples - 2
                else 0
                for label in range(4)
            ],
            atol=1e-12,
        )


def test_distances_are_compared_as_rounded():
    # Near 1e3 the step between floats is 1e-13: many sums round alike.
    rng = np.random.default_rng(0)
    feature = 1e3 + rng.integers(0, 60, 90) * 2.0**-43
    feature[:30] = rng.integers(0, 60, 30) * 2.0**-60
    labels = rng.integers(0, 3, 90)
    assert_allclose(
        one_against_rest(feature, labels, 3, 3),
        all_ross(feature, labels, 3, 3),
        atol=1e-12,
    )
