import dataclasses

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from keras_csg import metrics
from keras_csg.metrics import Head
from tests.metrics.arrays import random_samples

GATED = (
    metrics.class_specific_accuracy,
    metrics.own_accuracy,
    metrics.complement_accuracy,
    metrics.gated_accuracy,
)
# Two filters, each its class's own and each speaking for its class.
HEAD = Head(np.eye(2), np.array([0.0, 0.1]), np.eye(2))
FEATURES = np.array([[2.0, 0], [1, 3], [3, 1], [0, 2]])
LABELS = np.array([0, 1, 1, 1])  # The third is taken for class 0.


def test_small_case_by_hand():
    arrays = (FEATURES, LABELS, HEAD)
    assert metrics.standard_accuracy(*arrays) == 0.75
    assert metrics.class_specific_accuracy(*arrays) == 0.75
    assert metrics.own_accuracy(*arrays) == 0.75
    # Without the predicted class's filter: sample 0 goes to class 1 by the
    # bias, 1 to class 0, and 2 to class 1; 3 stays, by the bias.
    rows = np.array([0, 1, 0, 1])
    assert metrics.complement_accuracy(*arrays, rows=rows) == 0.5
    # Without the true class's: 2 goes to class 0.
    assert metrics.complement_accuracy(*arrays) == 0.25
    # Logits (0, .1), (1, .1), (3, .1), (0, .1) and what class 1 has of them;
    # the first sample is of class 0.
    shares = 1 / (1 + np.exp([0.1, 0.9, 2.9, -0.1]))
    expected = np.mean(shares)
    assert metrics.complement_probability(*arrays) == pytest.approx(expected)
    # With the label's filter alone everything is right.
    assert metrics.gated_accuracy(*arrays) == 1
    # With the other class's alone only sample 3 is, again by the bias.
    assert metrics.gated_accuracy(*arrays, rows=1 - LABELS) == 0.25


def test_an_open_gate_changes_nothing():
    features, labels, head = random_samples()
    standard = metrics.standard_accuracy(features, labels, head)
    open_gate = np.ones_like(head.gate_matrix)
    head = dataclasses.replace(head, gate_matrix=open_gate)
    for figure in GATED:
        value = figure(features, labels, head)
        if figure is metrics.complement_accuracy:  # Nothing but the bias.
            assert value == np.mean(labels == head.bias.argmax())
        else:
            assert value == standard


def test_every_path_is_the_formula_sample_by_sample():
    features, labels, head = random_samples()
    kernel, bias, gate = head.kernel, head.bias, head.gate_matrix
    predicted = {figure: [] for figure in GATED}
    for a, y in zip(features, labels, strict=True):
        row = gate[np.argmax(kernel.T @ a + bias)]
        for figure, logits in zip(
            GATED,
            (
                (kernel.T * gate) @ a + bias,
                kernel.T @ (a * row) + bias,
                kernel.T @ (a * (1 - gate[y])) + bias,
                kernel.T @ (gate[y] * a) + bias,
            ),
            strict=True,
        ):
            predicted[figure].append(np.argmax(logits))
    for figure, values in predicted.items():
        assert figure(features, labels, head) == accuracy_score(labels, values)


def test_equal_logits_count_for_the_first_class():
    assert metrics.accuracy(np.array([0, 1, 1, 1]), np.zeros((4, 2))) == 0.25


def test_a_class_without_samples_is_no_matter():
    features, labels, head = random_samples()
    kept = labels != 2
    for figure in GATED:
        assert 0 <= figure(features[kept], labels[kept], head) <= 1


def test_gated_logits_are_those_of_the_given_rows():
    features, _, head = random_samples()
    rows = np.arange(80) % 4
    logits = metrics.gated_logits(features, rows, head)
    for a, row, found in zip(features, rows, logits, strict=True):
        gated = head.gate_matrix[row] * a
        np.testing.assert_allclose(found, head.kernel.T @ gated + head.bias)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.ones(80), None, "two axes"),
        (np.ones((0, 9)), np.ones(0, int), "empty"),
        (np.ones((80, 8)), None, r"\(samples, 9\).*\(80, 8\)"),
        (np.full((80, 9), np.nan), None, "finite.*720 values"),
        (None, np.full(80, 4), r"in \[0, 4\)"),
        (None, np.full(80, -1), r"in \[0, 4\)"),
        (None, np.zeros(79, int), "80 integers"),
        (None, np.zeros((80, 1), int), "80 integers"),
        (None, np.zeros(80), "80 integers.*float64"),
    ],
)
@pytest.mark.parametrize(
    "figure",
    [
        metrics.standard_accuracy,
        *GATED,
        metrics.gated_logits,
        metrics.complement_probability,
        metrics.ablation,
        metrics.shuffled_gate,
    ],
)
def test_what_does_not_fit_is_refused(figure, features, labels, message):
    fitting, right, head = random_samples()
    features = fitting if features is None else features
    labels = right if labels is None else labels
    with pytest.raises(ValueError, match=f"{message}.*"):
        figure(features, labels, head)


def test_rows_must_be_classes():
    features, labels, head = random_samples()
    with pytest.raises(ValueError, match=r"in \[0, 4\)"):
        metrics.gated_accuracy(features, labels, head, rows=labels + 1)
    with pytest.raises(ValueError, match=r"in \[0, 4\)"):
        metrics.complement_accuracy(features, labels, head, rows=labels + 1)


@pytest.mark.parametrize(
    ("labels", "logits", "message"),
    [
        (np.zeros(2, int), np.full((2, 3), np.inf), "`logits` must be finite"),
        (np.zeros(2, int), np.zeros(2), "`logits` must have two axes"),
        (np.array([0, 3]), np.zeros((2, 3)), r"`labels` must be in \[0, 3\)"),
    ],
)
def test_logits_and_labels_must_fit(labels, logits, message):
    with pytest.raises(ValueError, match=message):
        metrics.accuracy(labels, logits)
