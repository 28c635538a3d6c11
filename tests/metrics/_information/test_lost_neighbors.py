import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.metrics._information.lost_neighbors import (
    few_rest_counts,
    lost_neighbors,
    rest_counts,
)
from keras_csg.metrics._information.neighbor_counts import (
    all_counts,
    sort_samples,
)
from tests.metrics._information.sorted_numbers import (
    inside,
    kth_distance,
    nearer,
    tied_samples,
)


def test_lost_neighbors_by_hand():
    feature, labels = np.array([0.0, 1, 3, 4]), np.array([0, 1, 1, 0])
    data = sort_samples(feature, labels, 2, k=1)
    *_, windows = all_counts(data)
    pairs = lost_neighbors(data, windows)
    # Each has one neighbor: 0 and 1 each other, 3 and 4 each other.
    assert sorted(zip(pairs.samples, pairs.classes, strict=True)) == [
        (0, 1),
        (1, 0),
        (2, 0),
        (3, 1),
    ]
    assert_array_equal(pairs.lost, 1)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_every_lost_class_is_there_once_with_its_number(k):
    data = tied_samples(k)
    _, labels = inside(data)
    *_, windows = all_counts(data)
    pairs = lost_neighbors(data, windows)
    found = {
        (sample, label): lost
        for sample, label, lost in zip(*pairs, strict=True)
    }
    assert len(found) == len(pairs.samples)
    expected = {}
    for sample, window in enumerate(windows):
        near = data.labels[window : window + k + 1]
        for label in set(near) - {labels[sample]}:
            expected[sample, label] = np.sum(near == label)
    assert found == expected


@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_window_grows_to_neighbors_of_other_classes(k):
    data = tied_samples(k)
    values, labels = inside(data)
    _, distances, windows = all_counts(data)
    pairs = lost_neighbors(data, windows)
    counts = rest_counts(data, distances, windows, pairs)
    assert (pairs.lost > 1).any() == (k > 1)
    for sample, label, count in zip(
        pairs.samples, pairs.classes, counts, strict=True
    ):
        value, rest = values[sample], values[labels != label]
        assert count == nearer(values, value, kth_distance(rest, value, k))


def test_few_samples_left_take_all_the_others_as_neighbors():
    feature = np.array([0.0, 1, 2, 3, 4, 5, 9])
    labels = np.array([0, 1, 0, 0, 0, 1, 0])
    data = sort_samples(feature, labels, 2, k=3)
    # Outside class 0 are 1 and 5: each is the other's only neighbor, and
    # nearer than 4 to 1 are 0 to 4, to 5 those from 2 to 5; 9 is not.
    assert_array_equal(few_rest_counts(data, 0), [5, 4])
