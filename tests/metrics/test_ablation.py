import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import confusion_matrix, recall_score

from keras_csg import metrics
from keras_csg.metrics import Head
from tests.metrics.arrays import random_samples


def brute_force(features, labels, head, kept):
    """A pass for each class, scikit-learn's recall, and the probabilities."""
    classes, rows, own = range(len(head.bias)), [], []
    gate = np.where(head.gate_matrix < 0.01, 0, head.gate_matrix)
    for label, row in enumerate(gate):
        logits = features * (row if kept else 1 - row) @ head.kernel + head.bias
        powers = np.exp(logits[labels == label])
        own.append((powers[:, label] / powers.sum(axis=1)).mean())
        predicted = logits.argmax(axis=1)
        matrix = confusion_matrix(labels, predicted, labels=classes)
        recall = recall_score(
            labels,
            predicted,
            labels=classes,
            average=None,
            zero_division=np.nan,
        )
        with np.errstate(invalid="ignore"):
            assert_allclose(np.diag(matrix) / matrix.sum(axis=1), recall)
        rows.append(recall)
    return np.array(rows), own


@pytest.mark.parametrize("block", [1, 7 * 4 * 8, 2**25])
def test_recalls_are_scikit_learns(monkeypatch, block):
    import sys

    module = sys.modules["keras_csg.metrics.ablation"]
    monkeypatch.setattr(module, "BLOCK_BYTES", block)
    arrays = random_samples()
    recalls = metrics.ablation(*arrays)
    for kept, name in enumerate(("removed", "kept")):
        recall, probability = brute_force(*arrays, kept)
        assert_allclose(getattr(recalls, name), recall)
        found = getattr(recalls, f"{name}_probability")
        assert_allclose(found, probability)


def test_what_is_hardly_open_is_closed():
    features, labels, head = random_samples()
    gate = np.where(head.gate_matrix == 1, 1, 0.009)
    dusty = dataclasses.replace(head, gate_matrix=gate)
    clean = dataclasses.replace(head, gate_matrix=np.floor(gate))
    for found, expected in zip(
        metrics.ablation(features, labels, dusty),
        metrics.ablation(features, labels, clean),
        strict=True,
    ):
        assert_array_equal(found, expected)


def test_small_case_by_hand():
    """Filter 0 knows class 0, filters 1 and 2 know class 1."""
    features = np.array([[1.0, 0, 0], [0, 1, 1], [0, 1, 1], [0, 0, 1]])
    labels = np.array([0, 1, 1, 0])  # The last looks like class 1.
    kernel = np.array([[1.0, 0], [0, 1], [0, 1]])
    gate = np.array([[1.0, 0, 0], [0, 1, 1]])
    head = Head(kernel, np.zeros(2), gate)
    recalls = metrics.ablation(features, labels, head)
    # Equal logits of zero are class 0.
    assert_array_equal(recalls.removed, [[0.5, 1], [1, 0]])
    assert_array_equal(recalls.kept, [[1, 0], [0.5, 1]])
    # Of class 0 the logits are (0, 0) and (0, 1), of class 1 both (0, 0).
    lost = 1 / (1 + np.e)
    assert_allclose(recalls.removed_probability, [(0.5 + lost) / 2, 0.5])
    # (1, 0) and (0, 0); both (0, 2).
    kept = np.array([(1 - lost + 0.5) / 2, 1 / (1 + np.exp(-2))])
    assert_allclose(recalls.kept_probability, kept)
    assert recalls.figures() == {
        "removed_own_recall": 0.25,
        "removed_other_recall": 1.0,
        "removed_own_probability": pytest.approx((1 + (0.5 + lost)) / 4),
        "kept_own_recall": 1.0,
        "kept_other_recall": 0.25,
        "kept_own_probability": pytest.approx(kept.mean()),
    }


def test_confusion_by_hand():
    features = np.array([[1.0, 0, 0], [0, 1, 1], [0, 1, 1], [0, 0, 1]])
    labels = np.array([0, 1, 1, 0])
    kernel = np.array([[1.0, 0], [0, 1], [0, 1]])
    gate = np.array([[1.0, 0, 0], [0, 1, 1]])
    head = Head(kernel, np.zeros(2), gate)
    removed, kept = metrics.ablation_confusion(features, labels, head, label=1)
    assert_array_equal(removed, [[2, 0], [2, 0]])
    assert_array_equal(kept, [[1, 1], [0, 2]])


def test_confusions_have_the_recalls_on_their_diagonals():
    arrays = random_samples()
    recalls = metrics.ablation(*arrays)
    for label in range(len(recalls.removed)):
        pair = metrics.ablation_confusion(*arrays, label)
        for matrix, expected in zip(pair, recalls[:2], strict=True):
            with np.errstate(invalid="ignore"):
                found = np.diag(matrix) / matrix.sum(axis=1)
            assert_allclose(found, expected[label])


def test_a_class_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="label=99"):
        metrics.ablation_confusion(*random_samples(), 99)


def test_a_class_without_samples_is_left_out_of_the_means():
    features, labels, head = random_samples()
    here = labels != 2
    recalls = metrics.ablation(features[here], labels[here], head)
    for recall in recalls:
        assert np.isnan(recall[..., 2]).all()
        assert np.isfinite(np.delete(recall, 2, axis=-1)).all()
    others = [0, 1, 3]
    assert recalls.figures()["removed_own_recall"] == pytest.approx(
        recalls.removed[others, others].mean()
    )


def test_a_class_without_filters_loses_nothing():
    features, labels, head = random_samples()
    gate = head.gate_matrix.copy()
    gate[1] = 0
    head = Head(head.kernel, head.bias, gate)
    recalls = metrics.ablation(features, labels, head)
    predicted = (features @ head.kernel + head.bias).argmax(axis=1)
    whole = recall_score(labels, predicted, average=None)
    assert_allclose(recalls.removed[1], whole)
    assert_array_equal(recalls.kept[1], np.arange(4) == head.bias.argmax())


def test_confusions_are_scikit_learns_whatever_the_labels_type():
    features, labels, head = random_samples()
    rest = 1 - head.gate_matrix[2]
    logits = (features * rest) @ head.kernel + head.bias
    expected = confusion_matrix(labels, logits.argmax(axis=1), labels=range(4))
    for dtype in ("uint8", "int32"):
        removed, _ = metrics.ablation_confusion(
            features, labels.astype(dtype), head, 2
        )
        assert_array_equal(removed, expected)
