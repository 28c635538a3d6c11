"""Against scikit-learn, entry by entry."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import digamma
from sklearn.feature_selection import _mutual_info
from sklearn.neighbors import NearestNeighbors

from keras_csg.metrics import mutual_information
from tests.metrics.arrays import relu_features, scikit_learn


@pytest.fixture
def exact_scikit_learn(monkeypatch):
    """scikit-learn with its tree also where it would multiply matrices."""
    tree = functools.partial(NearestNeighbors, algorithm="kd_tree")
    monkeypatch.setattr(_mutual_info, "NearestNeighbors", tree)
    return scikit_learn


@pytest.mark.parametrize("n_neighbors", [1, 2, 3, 7])
def test_agrees_with_scikit_learn_on_features_after_a_relu(n_neighbors):
    features, labels = relu_features()
    assert np.mean(features == 0) > 0.3
    ours = mutual_information(features, labels, n_neighbors=n_neighbors)
    theirs = scikit_learn(features, labels, 5, n_neighbors)
    assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert ours.max() > 0.1


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_draws_the_noise_of_scikit_learn(seed):
    # Noise alone decides which of the zeros are neighbors.
    features = np.zeros((200, 4))
    labels = np.arange(200) % 3
    ours = mutual_information(features, labels, random_state=seed)
    theirs = scikit_learn(features, labels, 3, seed=seed)
    assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert ours.max() > 0


@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda features: features.astype("float32"),
        lambda features: np.round(3 * features).astype("int64"),
        lambda features: np.repeat(features, 2, axis=1)[:, ::2],
        lambda features: np.repeat(features, 2, axis=0)[::2],
        lambda features: features[:, :1],
        lambda features: 1e6 + features,
        lambda features: 1e-6 * features,
        lambda features: (features > 0).astype("float64"),
        lambda features: np.where(features > 2.5, 1e3, 0.0),
    ],
    ids=[
        "column_major",
        "float32",
        "integers",
        "strided_filters",
        "strided_samples",
        "one_filter",
        "far_from_zero",
        "tiny",
        "two_values",
        "rare_large_value",
    ],
)
def test_agrees_with_scikit_learn_on_every_kind_of_features(convert):
    features, labels = relu_features()
    features = convert(features)
    assert_allclose(
        mutual_information(features, labels),
        scikit_learn(features, labels, 5),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("value", [0.0, 1.0, -250.0, 1e9])
def test_agrees_with_scikit_learn_on_constant_features(value):
    features, labels = np.full((2000, 2), value), np.arange(2000) % 4
    assert_allclose(
        mutual_information(features, labels),
        scikit_learn(features, labels, 4),
        rtol=0,
        atol=1e-12,
    )


def test_agrees_with_scikit_learn_when_a_class_fills_an_interval():
    # Runs of a class: leaving it out moves the neighbors far away.
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 50)
    features = rng.random((300, 3)) + labels[:, None] * [1.0, 0.9, 0.5]
    ours = mutual_information(features, labels)
    theirs = scikit_learn(features, labels, 6)
    assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert ours[:, 0].min() > 0.3


def test_agrees_with_scikit_learn_with_as_many_classes_as_imagenet():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(1000), 8))
    features = np.maximum(
        0, rng.normal(size=(8000, 1)) + 3 * (labels < 2)[:, None]
    )
    ours = mutual_information(features, labels)
    assert ours.shape == (1000, 1)
    some = [0, 1, 2, 500, 999]
    theirs = [scikit_learn(features, labels == c, 2)[1] for c in some]
    assert_allclose(ours[some], theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7])
def test_small_classes_agree_with_scikit_learn_without_rounding(
    exact_scikit_learn, size
):
    features, _ = relu_features(samples=120)
    labels = np.repeat([0, 1, 2], [size, 60, 60 - size])
    assert_allclose(
        mutual_information(features, labels),
        exact_scikit_learn(features, labels, 3),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("samples", [4, 5, 7, 8])
def test_few_samples_agree_with_scikit_learn_without_rounding(
    exact_scikit_learn, samples
):
    features, _ = relu_features(samples=samples, filters=4)
    for split in range(2, samples - 1):
        labels = (np.arange(samples) >= split).astype(int)
        assert_allclose(
            mutual_information(features, labels),
            exact_scikit_learn(features, labels, 2),
            rtol=0,
            atol=1e-12,
        )


def test_rounding_of_scikit_learn_is_all_that_differs_in_small_classes():
    features, _ = relu_features(samples=200, filters=8)
    labels = np.repeat([0, 1], [6, 194])
    gap = mutual_information(features, labels) - scikit_learn(
        features, labels, 2
    )
    # One neighbor more or fewer for each of six samples of 200.
    assert np.abs(gap).max() < 6 / 200 * (digamma(4) - digamma(3))
