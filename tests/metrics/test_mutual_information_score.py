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


def test_specificity_divides_by_the_diagonal_of_the_probabilities():
    features, labels = relu_features()
    rng = np.random.default_rng(1)
    logits = 2 * np.eye(5)[labels] + rng.normal(size=(400, 5))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    known = np.diag(mutual_information(probabilities, labels)).mean()
    score = mutual_information_score(features, labels)
    value = specificity(features, probabilities, labels, n_jobs=2)
    assert math.isclose(value, score / known)


def test_specificity_is_one_for_filters_that_are_the_probabilities():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 500)
    labels = probabilities.argmax(axis=1)
    assert math.isclose(specificity(probabilities, probabilities, labels), 1)


def test_specificity_leaves_out_classes_that_do_not_occur():
    features, labels = relu_features()
    probabilities = np.eye(7)[labels] + 0.01
    expected = specificity(features, probabilities[:, :5], labels)
    value = specificity(features, probabilities, labels)
    assert_allclose(value, expected, rtol=1e-2)  # The noise differs.


def test_specificity_is_nan_when_the_network_knows_nothing():
    features, _ = relu_features(samples=20)
    labels = np.zeros(20, int)
    assert math.isnan(specificity(features, np.ones((20, 3)), labels))


def test_mistakes_in_probabilities_are_named():
    features, labels = relu_features()
    with pytest.raises(ValueError, match="`probabilities` must have shape"):
        specificity(features, labels, labels)
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 4\)"):
        specificity(features, np.ones((400, 4)), labels)
