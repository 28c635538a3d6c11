import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.metrics._information.neighbor_counts import (
    all_counts,
    counts_within,
    nearest_windows,
    own_counts,
    sort_samples,
)
from tests.metrics._information.sorted_numbers import (
    inside,
    kth_distance,
    nearer,
    tied_samples,
)


def test_samples_are_sorted_and_padded():
    data = sort_samples(np.array([3.0, 1, 2]), np.array([1, 0, 0]), 2, k=2)
    inf = np.inf
    assert_array_equal(data.values, [-inf, -inf, 1, 2, 3, inf, inf])
    assert_array_equal(data.mirrored, [-inf, -inf, -3, -2, -1, inf, inf])
    assert_array_equal(data.labels[2:-2], [0, 0, 1])
    assert (data.labels[:2] < 0).all() and (data.labels[-2:] < 0).all()
    # The nearest positions of another label, on both sides.
    assert_array_equal(data.before[2:-2], [1, 1, 3])
    assert_array_equal(data.after[2:-2], [4, 4, 5])
    assert_array_equal(data.sizes, [2, 1])


def test_the_narrowest_window_by_hand():
    values = np.array([0.0, 1, 3, 7])
    first = np.array([-np.inf, 0, 1, 3, 7])
    last = np.array([0, 1, 3, 7, np.inf])
    distances, windows = nearest_windows(values, first, last, 1)
    assert_array_equal(distances, [1, 1, 2, 4])
    # A window is named after its last sample's place.
    assert_array_equal(windows, [1, 1, 2, 3])


@pytest.mark.parametrize("k", [1, 3, 6])
def test_counts_among_all_samples(k):
    data = tied_samples(k)
    values, _ = inside(data)
    counts, distances, _ = all_counts(data)
    for value, count, distance in zip(values, counts, distances, strict=True):
        assert distance == kth_distance(values, value, k)
        assert count == nearer(values, value, distance)


@pytest.mark.parametrize("k", [1, 3, 6])
def test_counts_up_to_a_neighbor_of_the_same_class(k):
    data = tied_samples(k)
    values, labels = inside(data)
    expected = [
        nearer(values, value, kth_distance(values[labels == c], value, k))
        for c in range(3)
        for value in values[labels == c]
    ]
    assert_array_equal(own_counts(data), expected)


@pytest.mark.parametrize("guess", [0, 3, -3])
def test_a_bad_guess_costs_time_alone(guess):
    data = tied_samples(3)
    values, _ = inside(data)
    positions = np.arange(values.size) + 3
    guesses = np.clip(positions + guess, 3, values.size + 2)
    distances = np.linspace(0, 1, values.size)
    counts = counts_within(data, positions, distances, guesses, guesses)
    expected = [
        nearer(values, *pair) for pair in zip(values, distances, strict=True)
    ]
    assert_array_equal(counts, expected)
