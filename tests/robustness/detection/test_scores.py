"""Each score beside the formula in other hands: SciPy's, scikit-learn's."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special
from scipy.spatial import distance
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import NearestNeighbors

from keras_csg.robustness.detection import list_scores
from keras_csg.robustness.detection.registry import find_score
from keras_csg.robustness.detection.score import (
    answers_of,
    plain,
    predicted_rows,
    with_gate,
)
from tests.robustness.detection.features import class_features, gated_head

HEAD = gated_head()
KNOWN, HELD_BACK = class_features(120), class_features(90, seed=1)
SAMPLES = np.concatenate([class_features(5, seed=2), -KNOWN[:4], KNOWN[:4] * 5])
UNKNOWN = np.random.default_rng(3).uniform(0, 1, (50, 6)).astype("float32")
LOGITS = SAMPLES @ HEAD.kernel + HEAD.bias


def score_of(name, samples=SAMPLES, head=HEAD):
    score = find_score(name)
    constants = score.fit_with_unknown(KNOWN, HELD_BACK, UNKNOWN, head, 0)
    return plain(score(constants, answers_of(head, samples)))


def test_scores_of_the_logits_are_those_of_scipy():
    probabilities = special.softmax(LOGITS, axis=1)
    expected = {
        "msp": 1 - probabilities.max(axis=1),
        "max_logit": -LOGITS.max(axis=1),
        "energy": -special.logsumexp(LOGITS, axis=1),
        "entropy": special.entr(probabilities).sum(axis=1),
        "feature_norm": -np.linalg.norm(SAMPLES, axis=1),
    }
    for name, values in expected.items():
        assert_allclose(score_of(name), values, rtol=1e-4, atol=1e-5)


def test_odin_ranks_as_the_probability_at_its_temperature():
    hot = special.softmax(LOGITS.astype("float64") / 1000, axis=1).max(axis=1)
    expected = -1000 * np.log(hot * 3)
    assert_allclose(score_of("odin"), expected, rtol=1e-4)


def test_mahalanobis_is_the_distance_of_scipy_to_the_nearest_class():
    predicted = HEAD.predicted(KNOWN)
    means = np.stack([KNOWN[predicted == c].mean(axis=0) for c in range(3)])
    spread = LedoitWolf(assume_centered=True).fit(KNOWN - means[predicted])
    inverse = np.linalg.inv(spread.covariance_)
    apart = distance.cdist(SAMPLES, means, "mahalanobis", VI=inverse) ** 2
    assert_allclose(score_of("mahalanobis"), apart.min(axis=1), rtol=1e-3)
    everything = LedoitWolf().fit(KNOWN)
    beside = apart.min(axis=1) - everything.mahalanobis(SAMPLES)
    assert_allclose(score_of("relative_mahalanobis"), beside, rtol=1e-2)


def test_knn_is_the_distance_that_scikit_learn_finds():
    def directions(features):
        return features / np.linalg.norm(features, axis=1, keepdims=True)

    neighbors = NearestNeighbors(n_neighbors=20).fit(directions(KNOWN))
    distances, _ = neighbors.kneighbors(directions(SAMPLES))
    assert_allclose(score_of("knn"), distances[:, -1], atol=2e-3)


def test_the_virtual_logit_is_the_part_outside_less_the_energy():
    origin = -np.linalg.pinv(HEAD.kernel.T) @ HEAD.bias
    _, _, rows = np.linalg.svd(KNOWN - origin)
    usual = rows[:3].T

    def outside(features):
        seen = features - origin
        return np.linalg.norm(seen - seen @ usual @ usual.T, axis=1)

    scale = HEAD.logits(KNOWN).max(axis=1).mean() / outside(KNOWN).mean()
    expected = scale * outside(SAMPLES) - special.logsumexp(LOGITS, axis=1)
    assert_allclose(score_of("vim"), expected, rtol=1e-3)


def energy_of(features, kernel=HEAD.kernel):
    return -special.logsumexp(features @ kernel + HEAD.bias, axis=1)


def test_react_is_the_energy_of_what_is_cut_at_the_clean_quantile():
    cut = SAMPLES.clip(max=np.quantile(KNOWN, 0.9))
    assert_allclose(score_of("react"), energy_of(cut), rtol=1e-5)


def test_shaped_activations_are_the_strongest_times_the_sums_exponential():
    """Of 6 filters a tenth is one; checked with pytorch-ood's as well."""
    samples = np.abs(SAMPLES)
    strongest = samples.argmax(axis=1)
    shaped = np.zeros_like(samples)
    for row, filter_ in enumerate(strongest):
        strength = samples[row, filter_]
        ratio = np.exp(samples[row].sum() / strength)
        shaped[row, filter_] = strength * ratio
    assert_allclose(score_of("ash", samples), energy_of(shaped), rtol=1e-4)


def test_line_goes_by_the_weights_and_filters_that_matter_for_the_class():
    """Of 6 filters a tenth is one weight, and nine tenths are five filters."""
    predicted = HEAD.predicted(KNOWN)
    kernel, filters = np.zeros_like(HEAD.kernel), np.ones((3, 6))
    for c in range(3):
        matter = HEAD.kernel[:, c] * KNOWN[predicted == c].mean(axis=0)
        kernel[matter.argmax(), c] = HEAD.kernel[matter.argmax(), c]
        filters[c, matter.argmin()] = 0
    cut = SAMPLES.clip(max=np.quantile(KNOWN, 0.9))
    chosen = cut * filters[HEAD.predicted(SAMPLES)]
    assert_allclose(score_of("line"), energy_of(chosen, kernel), rtol=1e-5)


def test_shares_of_the_own_filters_can_be_counted_by_hand():
    sample = np.array([[3.0, 1.0, 0.5, 0.0, 0.5, 0.0]], "float32")
    assert HEAD.predicted(sample) == [0]
    assert_allclose(score_of("own_share", sample), [1 / 5], atol=1e-6)
    evidence = HEAD.kernel[:, 0] * sample[0]
    own = evidence[:2].clip(0).sum() / np.abs(evidence).sum()
    assert_allclose(score_of("own_evidence", sample), [1 - own], atol=1e-6)


def test_what_does_not_fire_at_all_is_strange_and_not_an_error():
    silent = np.zeros((1, 6), "float32")
    assert score_of("own_share", silent) == [1]
    for name in list_scores():
        assert np.isfinite(score_of(name, silent)).all(), name


def test_the_heads_disagree_by_the_divergence_of_scipy():
    specific = SAMPLES @ (HEAD.kernel * HEAD.gate_matrix.T) + HEAD.bias
    one, other = (special.softmax(x, axis=1) for x in (LOGITS, specific))
    expected = special.rel_entr(one, other).sum(axis=1)
    assert_allclose(score_of("head_disagreement"), expected, atol=1e-4)
    energy = -special.logsumexp(specific, axis=1)
    assert_allclose(score_of("specific_energy"), energy, rtol=1e-4)


def test_the_forest_is_that_of_scikit_learn():
    forest = RandomForestClassifier(
        100, min_samples_leaf=3, class_weight="balanced", random_state=0
    ).fit(
        np.concatenate([KNOWN, UNKNOWN]),
        np.repeat([0, 1], [len(KNOWN), len(UNKNOWN)]),
    )
    expected = forest.predict_proba(SAMPLES)[:, 1]
    assert_allclose(score_of("forest"), expected, atol=1e-9)


# Of 6 filters `ash` leaves one: what all others do is made strength of it.
@pytest.mark.parametrize("name", [n for n in list_scores() if n != "ash"])
def test_a_score_is_higher_for_what_lies_far_from_every_class(name):
    usual = score_of(name, class_features(60, seed=9))
    strange = np.random.default_rng(4).uniform(0, 0.7, (60, 6))
    assert np.median(score_of(name, strange)) > np.median(usual)


def test_surer_than_any_clean_image_is_strange_where_it_should_be():
    usual, surer = class_features(60, seed=9), class_features(60, seed=9) * 3
    for name in ("surprise", "two_sided", "mahalanobis"):
        high = score_of(name, surer)
        assert high.min() > np.quantile(score_of(name, usual), 0.9), name
    assert score_of("energy", surer).max() < score_of("energy", usual).min()


def test_many_classes_and_filters_take_no_more_than_products_of_them():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4, 1000)).astype("float32")
    rows = rng.normal(size=(1000, 2048)).astype("float32")
    chosen = plain(predicted_rows(logits, rows))
    assert_allclose(chosen, rows[logits.argmax(axis=1)], rtol=1e-6)


def test_without_a_gate_a_filter_is_of_the_class_it_speaks_most_for():
    head = with_gate(gated_head(gated=False))
    assert_allclose(head.gate_matrix, HEAD.gate_matrix)
    assert with_gate(HEAD) is HEAD


@pytest.mark.parametrize("name", list_scores())
def test_what_can_be_exported_has_a_gradient(name):
    if not find_score(name).exportable:
        pytest.skip("no plain arithmetic")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients of TensorFlow")
    import tensorflow as tf

    score = find_score(name)
    constants = score.fit_with_unknown(KNOWN, HELD_BACK, UNKNOWN, HEAD, 0)
    features = tf.constant(
        np.concatenate([SAMPLES, np.zeros((1, 6))], 0), "float32"
    )
    with tf.GradientTape() as tape:
        tape.watch(features)
        logits = features @ HEAD.kernel + HEAD.bias
        specific = features @ (HEAD.kernel * HEAD.gate_matrix.T) + HEAD.bias
        answers = answers_of(HEAD, SAMPLES)._replace(
            features=features, logits=logits, specific_logits=specific
        )
        total = tf.reduce_sum(score(constants, answers))
    gradient = tape.gradient(total, features).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_a_name_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'mahalanobis'"):
        find_score("mahalanobs")
    with pytest.raises(ValueError, match="must be one of surprise, .*=None"):
        find_score(None)
