import functools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import digamma
from sklearn.feature_selection import _mutual_info, mutual_info_classif
from sklearn.neighbors import NearestNeighbors

from keras_csg.metrics._information.ross_estimate import one_against_rest
from keras_csg.metrics.mutual_information import (
    mutual_information,
    mutual_information_score,
    specificity,
)


def relu_features(samples=400, filters=6, classes=5, seed=0):
    """About half zeros; filter k fires for class k mod classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, samples)
    shift = 2.0 * (labels[:, None] == np.arange(filters) % classes) - 0.3
    features = np.maximum(0, rng.normal(size=(samples, filters)) + shift)
    return features, labels


def scikit_learn(features, labels, num_classes, n_neighbors=3, seed=0):
    return np.stack(
        [
            mutual_info_classif(
                features,
                labels == label,
                discrete_features=False,
                n_neighbors=n_neighbors,
                random_state=seed,
            )
            for label in range(num_classes)
        ]
    )


@pytest.fixture
def exact_scikit_learn(monkeypatch):
    """scikit-learn with its tree also where it would multiply matrices."""
    tree = functools.partial(NearestNeighbors, algorithm="kd_tree")
    monkeypatch.setattr(_mutual_info, "NearestNeighbors", tree)
    return scikit_learn


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


# --- Against scikit-learn, entry by entry --------------------------------


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


# --- Against the formula -------------------------------------------------


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


# --- Conventions ---------------------------------------------------------


def test_result_is_float64_of_classes_by_filters():
    features, labels = relu_features()
    information = mutual_information(features.astype("float16"), labels)
    assert information.shape == (5, 6)
    assert information.dtype == "float64"
    assert information.min() >= 0


def test_two_classes_have_the_same_information():
    features, labels = relu_features(classes=2)
    first, second = mutual_information(features, labels)
    assert_allclose(first, second, atol=1e-12)


def test_classes_without_two_samples_have_rows_of_zeros():
    features, labels = relu_features(samples=60)
    labels = np.where(labels == 3, 2, labels)
    labels[0] = 3
    information = mutual_information(features, labels, num_classes=7)
    assert_array_equal(information[[3, 5, 6]], 0)
    theirs = scikit_learn(features, labels, 7)
    assert_allclose(information, theirs, atol=1e-12)


@pytest.mark.parametrize("ones", [0, 1, 29, 30])
def test_nothing_is_known_when_all_but_one_sample_are_of_a_class(ones):
    features, _ = relu_features(samples=30)
    labels = np.repeat([0, 1], [30 - ones, ones])
    information = mutual_information(features, labels, num_classes=2)
    assert_array_equal(information, np.zeros((2, 6)))


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_fewer_than_four_samples_tell_nothing(samples):
    labels = np.arange(samples)
    information = mutual_information(np.eye(samples), labels)
    assert_array_equal(information, np.zeros((samples, samples)))


def test_arguments_are_not_changed():
    features, labels = relu_features()
    before = features.copy(), labels.copy()
    mutual_information(features, labels)
    assert_array_equal(features, before[0])
    assert_array_equal(labels, before[1])


def test_threads_and_label_types_do_not_matter():
    features, labels = relu_features()
    expected = mutual_information(features, labels)
    threads = mutual_information(features, labels.astype("uint8"), n_jobs=3)
    assert_array_equal(threads, expected)
    listed = mutual_information(features.tolist(), labels.tolist())
    assert_array_equal(listed, expected)


def test_many_classes_need_more_than_16_bits():
    features, labels = relu_features()
    information = mutual_information(features, labels * 10_000)
    assert information.shape == (40_001, 6)
    assert_array_equal(
        information[::10_000], mutual_information(features, labels)
    )


# --- Scores --------------------------------------------------------------


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


# --- Mistakes ------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "labels", "options", "message"),
    [
        (np.ones(4), np.zeros(4, int), {}, r"shape \(samples, filters\).*4,"),
        (np.ones((4, 2, 2, 3)), np.zeros(4, int), {}, r"\(4, 2, 2, 3\)"),
        (np.ones((0, 2)), np.zeros(0, int), {}, r"at least one.*\(0, 2\)"),
        (np.ones((4, 0)), np.zeros(4, int), {}, r"at least one.*\(4, 0\)"),
        (np.full((4, 2), np.nan), np.zeros(4, int), {}, "finite.*8 values"),
        (np.full((4, 2), np.inf), np.zeros(4, int), {}, "finite.*8 values"),
        (np.ones((4, 2)), np.zeros(3, int), {}, r"4 integers.*\(3,\)"),
        (np.ones((4, 2)), np.zeros((4, 1), int), {}, r"4 integers.*\(4, 1\)"),
        (np.ones((4, 2)), np.zeros(4), {}, "4 integers.*float64"),
        (np.ones((4, 2)), np.arange(-1, 3), {}, r"\[0, 3\).*\[-1, 2\]"),
        (
            np.ones((4, 2)),
            np.arange(4),
            {"num_classes": 3},
            r"\[0, 3\).*\[0, 3\]",
        ),
        (np.ones((4, 2)), np.arange(4), {"num_classes": 0}, r"\[0, 0\)"),
        (np.ones((4, 2)), np.arange(4), {"n_neighbors": 0}, "n_neighbors=0"),
        (np.ones((4, 2)), np.arange(4), {"n_neighbors": 2.5}, "=2.5"),
    ],
)
def test_mistakes_are_named(features, labels, options, message):
    with pytest.raises(ValueError, match=message):
        mutual_information(features, labels, **options)


def test_mistakes_in_probabilities_are_named():
    features, labels = relu_features()
    with pytest.raises(ValueError, match="`probabilities` must have shape"):
        specificity(features, labels, labels)
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 4\)"):
        specificity(features, np.ones((400, 4)), labels)
