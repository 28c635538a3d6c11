import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.metrics import (
    mutual_information,
    mutual_information_score,
    specificity,
)
from tests.metrics.arrays import relu_features


def test_score_is_the_mean_over_filters_of_their_best_class():
    features, labels = relu_features()
    information = mutual_information(features, labels)
    score = mutual_information_score(features, labels)
    assert isinstance(score, float)
    assert math.isclose(score, information.max(axis=0).mean())


def test_score_of_chance_is_near_zero_and_of_indicators_near_the_entropy():
    rng = np.random.default_rng(0)
    labels = np.arange(2000) % 10
    chance = rng.normal(size=(2000, 8))
    assert mutual_information_score(chance, labels) < 0.02
    indicators = np.eye(10)[labels] + 0.1 * rng.random((2000, 10))
    entropy = -0.1 * math.log(0.1) - 0.9 * math.log(0.9)
    score = mutual_information_score(indicators, labels)
    assert_allclose(score, entropy, atol=0.01)


def test_specificity_is_the_share_of_the_entropy():
    information = np.array([[0.3, 0.0, 0.1], [0.2, 0.5, 0.4]])
    labels = np.array([0, 0, 0, 1])  # Both halves have the same entropy.
    entropy = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    value = specificity(information, labels, np.array([0, 0, 1]))
    assert isinstance(value, float)
    assert_allclose(value, (0.3 + 0.0 + 0.4) / 3 / entropy)


def test_specificity_from_nothing_to_all():
    rng = np.random.default_rng(0)
    labels = np.arange(2000) % 10
    classes = np.arange(10)
    indicators = np.eye(10)[labels] + 0.1 * rng.random((2000, 10))
    chance = rng.normal(size=(2000, 10))
    values = []
    for share in (0, 0.25, 0.5, 0.75, 1):  # Of the noise that is left out.
        mixed = np.where(rng.random((2000, 10)) < share, indicators, chance)
        information = mutual_information(mixed, labels)
        values.append(specificity(information, labels, classes))
    assert values == sorted(values)
    assert values[0] < 0.05 and 0.97 < values[-1] <= 1
    # What a filter knows of another class is no matter.
    information = mutual_information(indicators, labels)
    assert specificity(information, labels, np.roll(classes, 1)) < 0.1


def test_specificity_never_passes_one():
    assert specificity(np.full((2, 3), 9.0), np.array([0, 1]), [0, 1, 1]) == 1


def test_specificity_leaves_out_classes_that_do_not_occur():
    information = np.array([[0.3, 0.0], [0.2, 0.1], [0.0, 0.5]])
    labels = np.array([0, 1, 0, 1])
    value = specificity(information, labels, np.array([0, 2]))
    assert_allclose(value, 0.3 / math.log(2))
    assert math.isnan(specificity(information, labels, np.array([2, 2])))


@pytest.mark.parametrize(
    "information, labels, classes, message",
    [
        (np.ones(3), [0], [0], "`information` must have two axes"),
        (np.full((2, 1), np.nan), [0], [0], "`information` must be finite"),
        (np.ones((2, 1)), [2], [0], r"`labels` must be in \[0, 2\)"),
        (
            np.ones((2, 1)),
            [0],
            [2],
            r"1 integers of at least 0 and below 2",
        ),
        (np.ones((2, 2)), [0], [0], "2 integers of at least 0"),
    ],
)
def test_mistakes_are_named(information, labels, classes, message):
    with pytest.raises(ValueError, match=message):
        specificity(information, np.array(labels), np.array(classes))
