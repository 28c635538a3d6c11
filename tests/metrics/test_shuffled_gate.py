import numpy as np
import pytest

from keras_csg import metrics
from keras_csg.metrics import Head
from tests.metrics.arrays import random_samples

CLASSES = 10


def specific(samples=400):
    """A network whose filters each know one class, and are read for it."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=samples)
    features = np.eye(CLASSES)[labels] + 0.1 * rng.random((samples, CLASSES))
    eye = np.eye(CLASSES)
    return features, labels, Head(eye - 0.1, np.zeros(CLASSES), eye)


@pytest.mark.parametrize("num_classes", [2, 3, 10, 101])
def test_no_class_keeps_its_row(num_classes):
    for seed in range(20):
        rows = metrics.shuffled_rows(num_classes, seed)
        assert sorted(rows) == list(range(num_classes))
        assert (rows != np.arange(num_classes)).all()
    assert (rows == metrics.shuffled_rows(num_classes, seed)).all()


def test_one_class_cannot_be_shuffled():
    with pytest.raises(ValueError, match="at least 2.*num_classes=1"):
        metrics.shuffled_rows(1)


def test_class_specific_filters_collapse():
    arrays = specific()
    assert metrics.class_specific_accuracy(*arrays) == 1
    shuffled = metrics.shuffled_gate(*arrays)
    assert shuffled.class_specific_accuracy < 0.2
    assert shuffled.gated_accuracy == 0
    assert shuffled.row_accuracy == 1  # The other filter speaks, if little.


def test_a_gate_that_does_nothing_stays():
    features, labels, head = random_samples()
    head = Head(head.kernel, head.bias, np.ones_like(head.gate_matrix))
    shuffled = metrics.shuffled_gate(features, labels, head)
    standard = metrics.standard_accuracy(features, labels, head)
    assert shuffled.class_specific_accuracy == pytest.approx(standard)
    assert shuffled.gated_accuracy == pytest.approx(standard)


def test_one_shuffle_is_the_permuted_gate():
    features, labels, head = random_samples()
    rows = metrics.shuffled_rows(head.num_classes, seed=3)
    shuffled = metrics.shuffled_gate(features, labels, head, shuffles=1, seed=3)
    permuted = Head(head.kernel, head.bias, head.gate_matrix[rows])
    assert shuffled[:2] == (
        metrics.class_specific_accuracy(features, labels, permuted),
        metrics.gated_accuracy(features, labels, head, rows=rows[labels]),
    )


def test_the_figures_are_means_over_the_shuffles():
    arrays = random_samples()
    single = [
        metrics.shuffled_gate(*arrays, shuffles=1, seed=seed)
        for seed in (5, 6, 7)
    ]
    assert metrics.shuffled_gate(*arrays, shuffles=3, seed=5) == pytest.approx(
        tuple(np.mean(single, axis=0))
    )
    with pytest.raises(ValueError, match="shuffles=0"):
        metrics.shuffled_gate(*arrays, shuffles=0)
