"""What filters tell of classes that are not their own, in one batch."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.feature_selection import f_classif

from keras_csg.models.off_class_variance import off_class_variance
from tests.tiny import tiny_classifier, tiny_data

CLASSES, FILTERS = 4, 6
OWN = np.arange(FILTERS) % CLASSES
GATE = (np.arange(CLASSES)[:, None] == OWN).astype("float32")


def samples(count=60, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, count)
    features = rng.normal(size=(count, FILTERS)) + 2
    features += rng.normal(size=(CLASSES, FILTERS))[labels]
    return features.astype("float32"), labels


def variance(features, labels, gate=GATE, hard=None, **kwargs):
    rows = labels @ gate if labels.ndim == 2 else gate[labels]
    logits = np.zeros((len(features), CLASSES), "float32")
    return float(off_class_variance(features, labels, rows, logits, **kwargs))


def by_scikit_learn(features, labels):
    """The correlation ratio, from the F statistic of the other classes."""
    ratios = []
    for filter_, own in enumerate(OWN):
        off = labels != own
        (f,), _ = f_classif(features[off, filter_ : filter_ + 1], labels[off])
        between = f * (CLASSES - 2)
        ratios.append(between / (between + off.sum() - (CLASSES - 1)))
    return np.mean(ratios)


def test_it_is_the_correlation_ratio_among_the_other_classes():
    features, labels = samples()
    expected = by_scikit_learn(features, labels)
    assert variance(features, labels) == pytest.approx(expected, rel=1e-4)
    assert variance(features, labels[:, None].ravel()) == pytest.approx(
        expected, rel=1e-4
    )


def test_what_a_filter_tells_of_its_own_class_does_not_count():
    features, labels = samples()
    before = variance(features, labels)
    features += 100 * GATE[labels]
    assert variance(features, labels) == pytest.approx(before, rel=1e-4)


def test_its_ends():
    labels = np.repeat(np.arange(CLASSES), 3)
    within = np.tile([[1.0], [2.0], [3.0]], (CLASSES, FILTERS))
    assert variance(within, labels) == pytest.approx(0, abs=1e-6)
    between = np.repeat(labels[:, None], FILTERS, axis=1).astype("float32")
    assert variance(between, labels) == pytest.approx(1, abs=1e-5)
    assert variance(0 * between, labels) == 0  # Of dead filters nothing.


def test_scale_and_shift_do_not_count():
    features, labels = samples()
    changed = variance(30 * features - 7, labels)
    assert changed == pytest.approx(variance(features, labels), rel=1e-3)


def test_labels_as_one_column_or_as_distributions_say_the_same():
    features, labels = samples()
    expected = variance(features, labels)
    hot = np.eye(CLASSES, dtype="float32")[labels]
    assert variance(features, hot) == pytest.approx(expected, rel=1e-5)
    logits = np.zeros((len(features), CLASSES), "float32")
    column = off_class_variance(features, labels[:, None], GATE[labels], logits)
    assert float(column) == pytest.approx(expected, rel=1e-6)


def test_whole_weights_count_samples_as_often():
    features, labels = samples()
    weight = np.random.default_rng(1).integers(0, 3, len(labels))
    repeated = np.repeat(np.arange(len(labels)), weight)
    assert variance(features, labels, sample_weight=weight) == pytest.approx(
        variance(features[repeated], labels[repeated]), rel=1e-4
    )


def test_an_open_gate_leaves_nothing_to_count():
    features, labels = samples()
    assert variance(features, labels, gate=np.ones_like(GATE)) == 0


def test_following_it_takes_the_difference_away():
    features, labels = samples()
    variable = keras.Variable(features)
    import tensorflow as tf

    before = variance(features, labels)
    for _ in range(200):
        with tf.GradientTape() as tape:
            loss = off_class_variance(
                variable.value,
                labels,
                GATE[labels],
                np.zeros((len(labels), CLASSES), "float32"),
            )
        variable.assign_sub(20 * tape.gradient(loss, variable.value))
    assert variance(np.array(variable), labels) < before / 10
    own = GATE[labels] == 1  # No gradient comes of a class's own filters.
    assert_allclose(np.array(variable)[own], features[own])


def test_training_adds_it_by_its_weight():
    images, labels = tiny_data()
    plain, weighted = tiny_classifier(), tiny_classifier(lambda_6=2.0)
    gate = np.eye(4, 6, dtype="float32")
    gate[0, 4:] = 1
    for model in (plain, weighted):
        model.compile("sgd")
        model.gate.gate_matrix.assign(gate)
        model.set_weights(plain.get_weights()[: len(model.get_weights())])
    features = plain.features(images)
    before, _ = plain.compute_dual_path_loss(features, labels)
    after, paths = weighted.compute_dual_path_loss(features, labels)
    told = float(paths["off_class_variance"])
    assert 0 < told < 1
    assert float(after - before) == pytest.approx(2 * told, rel=1e-3)
    history = weighted.fit(images, labels, verbose=0).history
    assert 0 < history["off_class_variance"][0] < 1
