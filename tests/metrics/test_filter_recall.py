import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.metrics import Head, duplicate_filters, filter_recall
from keras_csg.metrics.duplicate_filters import filter_correlations


def random_samples(samples=200, filters=7, classes=3):
    rng = np.random.default_rng(0)
    features = rng.exponential(size=(samples, filters)).astype("float32")
    labels = rng.integers(0, classes, samples)
    kernel = rng.normal(size=(filters, classes)).astype("float32")
    head = Head(kernel, rng.normal(size=classes).astype("float32"))
    return features, labels, head


def slow_recall(features, labels, head, removed, label):
    """One network after the other, as one would do by hand."""
    left = features.copy()
    left[:, removed] = 0
    own = labels == label
    return np.mean(head.predicted(left[own]) == label)


@pytest.mark.parametrize("block", [1, 50, 2**22])
def test_it_is_what_setting_filters_to_zero_gives(block, monkeypatch):
    module = sys.modules[filter_recall.__module__]
    monkeypatch.setattr(module, "BLOCK", block)
    features, labels, head = random_samples()
    found = filter_recall(features, labels, head)
    classes = head.classes_of_filters()
    for label in range(3):
        own = np.flatnonzero(classes == label)
        args = features, labels, head
        assert found.recall[label] == slow_recall(*args, [], label)
        assert found.without_all[label] == slow_recall(*args, own, label)
        for k in own:
            assert found.without[k] == slow_recall(*args, [k], label)


def test_several_classes_a_sample():
    head = Head(np.eye(2), np.array([-1.0, -1.0]))
    features = np.array([[2.0, 2.0], [2.0, 0.0], [0.5, 3.0]])
    labels = np.array([[1, 1], [1, 0], [1, 1]])
    found = filter_recall(features, labels, head, multi_hot=True)
    assert_allclose(found.recall, [2 / 3, 1])
    assert_allclose(found.without, [0, 0])
    assert_allclose(found.without_all, [0, 0])


def test_a_class_without_samples_has_none():
    features, labels, head = random_samples()
    found = filter_recall(features, np.minimum(labels, 1), head)
    assert np.isnan(found.recall[2]) and np.isnan(found.without_all[2])
    assert np.isnan(found.without[head.classes_of_filters() == 2]).all()


def test_correlations_are_those_of_numpy():
    features = random_samples(samples=9000)[0]
    features[:, 3] = 2 * features[:, 0] + 1
    features[:, 4] = -features[:, 0]
    expected = np.corrcoef(features.T)
    assert_allclose(filter_correlations(features), expected, atol=1e-5)
    ((first, second, value),) = duplicate_filters(features)
    assert (first, second) == (0, 3) and value == pytest.approx(1)


def test_a_constant_filter_is_no_duplicate():
    features = np.zeros((10, 3))
    features[:, 0] = np.arange(10)
    assert duplicate_filters(features) == []


def test_pairs_come_from_the_largest_down(monkeypatch):
    rng = np.random.default_rng(0)
    base = rng.normal(size=(1000, 1))
    features = base + rng.normal(size=(1000, 6)) * [0, 0.01, 0.05, 0.1, 1, 9]
    values = [value for *_, value in duplicate_filters(features)]
    assert values == sorted(values, reverse=True) and len(values) == 6
    assert len(duplicate_filters(features, 0.5)) > 6
    assert abs(filter_correlations(features * 1e30)).max() <= 1
