"""Calibration, by hand and beside scikit-learn's curve."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from keras_csg.metrics import reliability


def two_classes(sure):
    """Rows whose first class has these probabilities."""
    return np.stack([sure, 1 - np.asarray(sure)], axis=1)


def test_a_case_by_hand():
    found = reliability(
        two_classes([0.6, 0.7, 0.9, 1.0]), np.array([0, 1, 0, 0]), bins=2
    )
    assert_allclose(found.edges, [0, 0.5, 1])
    assert_array_equal(found.counts, [0, 4])
    assert_allclose(found.confidence, [np.nan, 0.8])
    assert_allclose(found.accuracy, [np.nan, 0.75])
    assert found.ece == pytest.approx(0.05)
    # Of each class, squared: .16, .49, .01 and 0, twice.
    assert found.brier == pytest.approx(2 * 0.66 / 4)


def test_bins_are_weighed_by_their_samples():
    sure = two_classes([0.6] * 3 + [0.9])
    found = reliability(sure, np.array([0, 0, 0, 1]), bins=4)
    assert_array_equal(found.counts, [0, 0, 3, 1])
    assert found.ece == pytest.approx(3 / 4 * 0.4 + 1 / 4 * 0.9)


def test_a_bin_holds_its_upper_edge():
    found = reliability(two_classes([0.75, 0.5]), np.array([0, 0]), bins=4)
    assert_array_equal(found.counts, [0, 1, 1, 0])


def test_what_it_is_sure_of_and_right_about_is_perfect():
    found = reliability(np.eye(3), np.arange(3))
    assert found.ece == 0 and found.brier == 0


def test_what_it_is_sure_of_and_wrong_about_is_the_worst():
    found = reliability(np.eye(2), np.array([1, 0]))
    assert found.ece == 1 and found.brier == 2


def test_the_bins_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(5, 0.4), 4000)
    labels = np.array(
        [rng.choice(5, p=p**0.5 / sum(p**0.5)) for p in probabilities]
    )
    found = reliability(probabilities, labels, bins=10)
    right = probabilities.argmax(axis=1) == labels
    sure = probabilities.max(axis=1)
    accuracy, confidence = calibration_curve(right, sure, n_bins=10)
    there = found.counts > 0
    assert_allclose(found.accuracy[there], accuracy)
    assert_allclose(found.confidence[there], confidence)
    assert found.counts.sum() == 4000
    gaps = np.abs(accuracy - confidence)
    assert found.ece == pytest.approx(gaps @ found.counts[there] / 4000)
    assert found.brier == pytest.approx(
        brier_score_loss(labels, probabilities, scale_by_half=False)
    )


def test_float32_gives_the_same():
    probabilities = np.random.default_rng(1).dirichlet(np.ones(3), 50)
    labels = np.arange(50) % 3
    found = reliability(probabilities.astype("float32"), labels)
    exact = reliability(probabilities, labels)
    assert found.ece == pytest.approx(exact.ece, rel=1e-5)
    assert found.brier == pytest.approx(exact.brier, rel=1e-5)


@pytest.mark.parametrize(
    "probabilities, labels, bins, message",
    [
        ([[0.5, 0.6]], [0], 15, "sum to one"),
        ([[-0.5, 1.5]], [0], 15, "at least 0"),
        ([[np.nan, 1.0]], [0], 15, "finite"),
        ([[0.5, 0.5]], [2], 15, "labels"),
        ([[0.5, 0.5]], [0], 0, "bins=0"),
    ],
)
def test_mistakes_are_named(probabilities, labels, bins, message):
    with pytest.raises(ValueError, match=message):
        reliability(np.array(probabilities), np.array(labels), bins)
