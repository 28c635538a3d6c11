import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import average_precision_score

from keras_csg import metrics
from keras_csg.metrics import Head
from tests.metrics.arrays import random_samples


def several_samples(samples=80, classes=4, seed=1):
    features, _, head = random_samples(samples, classes)
    rng = np.random.default_rng(seed)
    return features, rng.integers(0, 2, (samples, classes)), head


def test_average_precision_by_hand():
    labels = np.array([[1, 0], [0, 0], [1, 0], [0, 0]])
    scores = np.array([[4.0, 1], [3, 1], [2, 1], [1, 1]])
    # The first and the third of four: 1/2 * 1 + 1/2 * 2/3.
    first, none = metrics.average_precision(labels, scores)
    assert first == pytest.approx(5 / 6)
    assert np.isnan(none)
    assert metrics.mean_average_precision(labels, scores) == first


def test_a_perfect_and_a_chance_case():
    labels = np.random.default_rng(0).random((4000, 3)) < 0.2
    assert metrics.mean_average_precision(labels, labels + 0.0) == 1
    chance = np.random.default_rng(1).random((4000, 3))
    found = metrics.mean_average_precision(labels, chance)
    assert found == pytest.approx(0.2, abs=0.02)


def test_information_is_that_of_scikit_learn():
    features, labels, _ = several_samples()
    expected = [
        mutual_info_classif(
            features, has, discrete_features=False, random_state=0
        )
        for has in labels.T
    ]
    found = metrics.mutual_information(features, labels)
    assert_allclose(found, expected, atol=1e-10)
    score = metrics.mutual_information_score(features, labels)
    assert score == pytest.approx(np.max(expected, axis=0).mean())


def test_one_class_each_is_the_same_in_either_form():
    features, labels, head = random_samples()
    hot = np.eye(4, dtype=int)[labels]
    one = metrics.mutual_information(features, labels)
    assert_allclose(metrics.mutual_information(features, hot), one, atol=1e-10)
    classes = head.classes_of_filters()
    assert metrics.specificity(one, hot, classes) == pytest.approx(
        metrics.specificity(one, labels, classes)
    )
    for name in ("gated_logits", "complement_logits"):
        logits = getattr(head, name)
        assert_allclose(
            logits(features, hot.astype(bool)), logits(features, labels)
        )


def test_a_sample_goes_through_the_union_of_its_classes():
    head = Head(np.eye(3), np.zeros(3), [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])
    features = np.array([[1.0, 2, 4], [1, 2, 4]])
    rows = np.array([[True, True, False], [False, False, False]])
    assert_allclose(head.gated_logits(features, rows), [[1, 2, 0], [0, 0, 0]])
    assert_allclose(
        head.complement_logits(features, rows), [[0, 0, 4], [1, 2, 4]]
    )


def test_ablation_by_hand():
    """Each class has a filter of its own, and a bias against it."""
    head = Head(2 * np.eye(2), np.full(2, -1.0), np.eye(2))
    labels = np.array([[1, 0], [0, 1], [1, 1], [0, 0]])
    found = metrics.multi_label_ablation(labels + 0.0, labels, head)
    assert_allclose(found.recalls.removed, [[0, 1], [1, 0]])
    assert_allclose(found.recalls.kept, [[1, 0], [0, 1]])
    assert_allclose(found.recalls.removed_probability, 1 / (1 + np.e))
    assert_allclose(found.recalls.kept_probability, 1 / (1 + np.exp(-1)))
    assert_allclose(found.removed, [[0.5, 1], [1, 0.5]])
    assert_allclose(found.kept, [[1, 0.5], [0.5, 1]])
    figures = found.figures()
    assert figures["removed_own_recall"] == 0
    assert figures["removed_own_average_precision"] == 0.5
    assert figures["removed_other_average_precision"] == 1


def test_ablation_of_soft_gates_is_that_of_the_logits():
    features, labels, head = several_samples()
    found = metrics.multi_label_ablation(features, labels, head)
    for label, row in enumerate(head.gate_matrix):
        row = np.where(row < 0.01, 0, row)
        for part, recalls, precisions in (
            (1 - row, found.recalls.removed, found.removed),
            (row, found.recalls.kept, found.kept),
        ):
            logits = (features * part) @ head.kernel + head.bias
            for other in range(4):
                has = labels[:, other] == 1
                assert precisions[label, other] == pytest.approx(
                    average_precision_score(has, logits[:, other])
                )
                assert recalls[label, other] == pytest.approx(
                    (logits[has, other] >= 0).mean()
                )


@pytest.mark.parametrize(
    "labels, said",
    [
        (np.zeros(80, int), r"must have shape \(80, 4\)"),
        (np.zeros((80, 3)), r"must have shape \(80, 4\)"),
        (np.full((80, 4), 0.5), "must be 0 or 1 for each class"),
    ],
)
def test_labels_are_checked(labels, said):
    features, _, head = several_samples()
    with pytest.raises(ValueError, match=said):
        metrics.multi_label_ablation(features, labels, head)
