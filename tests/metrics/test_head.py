import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import metrics
from keras_csg.metrics import Head, checks
from tests.metrics.arrays import random_samples

KERNEL = np.array([[1.0, 0.0], [0.0, 2.0], [4.0, 8.0]])
BIAS = np.array([0.5, 0.0])
GATE = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 1.0]])
FEATURES = np.array([[1.0, 2.0, 0.25]])


def test_ways_through_the_head_by_hand():
    head = Head(KERNEL, BIAS, GATE)
    assert head.num_classes == 2 and head.filters == 3
    assert_array_equal(head.logits(FEATURES), [[2.5, 6]])
    assert_array_equal(head.class_specific_logits(FEATURES), [[2, 6]])
    assert_array_equal(
        head.class_specific_logits(FEATURES, np.array([1, 0])), [[1.5, 1]]
    )
    assert_array_equal(head.gated_logits(FEATURES, np.array([0])), [[2, 1]])
    assert_array_equal(head.gated_logits(FEATURES, np.array([1])), [[1.5, 6]])
    assert_array_equal(head.predicted(FEATURES), [1])
    # Class 0 takes half of filter 2 with it.
    assert_array_equal(
        head.complement_logits(FEATURES, np.array([0])), [[1, 5]]
    )
    assert_array_equal(
        head.complement_logits(FEATURES, np.array([1])), [[1.5, 0]]
    )


def test_a_filter_is_of_the_class_that_it_is_open_to():
    assert_array_equal(Head(KERNEL, BIAS, GATE).classes_of_filters(), [0, 1, 1])
    # Where the gate does not say, the weights do.
    for gate in (None, np.ones((2, 3)), np.array([[1.0, 1, 0], [1, 1, 1]])):
        head = Head(KERNEL, BIAS, gate)
        assert_array_equal(head.classes_of_filters(), [0, 1, 1])
    head = Head(KERNEL, BIAS, 1 - GATE)  # No matter what the weights say.
    assert_array_equal(head.classes_of_filters(), [1, 0, 0])


def test_samples_go_through_their_rows_a_block_at_a_time(monkeypatch):
    features, labels, head = random_samples()
    gated = features * head.gate_matrix[labels]
    monkeypatch.setattr("keras_csg.metrics.head.BLOCK", 7)
    assert_allclose(head.gated_logits(features, labels), head.logits(gated))
    assert_allclose(
        head.complement_logits(features, labels), head.logits(features - gated)
    )


def test_what_was_checked_cannot_be_changed():
    kernel = KERNEL.copy()
    head = Head(kernel, BIAS, GATE)
    kernel[:] = np.nan
    assert_array_equal(head.kernel, KERNEL)
    for array in (head.kernel, head.bias, head.gate_matrix):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        head.bias = BIAS


def test_lists_become_arrays():
    head = Head([[1, 0]], [0, 0])
    assert_array_equal(head.logits(np.array([[3]])), [[3, 0]])


@pytest.mark.parametrize(
    "call",
    [
        lambda head: head.class_specific_logits(FEATURES),
        lambda head: head.gated_logits(FEATURES, np.array([0])),
        lambda head: head.complement_logits(FEATURES, np.array([0])),
        lambda head: metrics.ablation(FEATURES, np.array([0]), head),
        lambda head: metrics.shuffled_gate(FEATURES, np.array([0]), head),
    ],
)
def test_what_needs_a_gate_says_so(call):
    head = Head(KERNEL, BIAS)
    assert metrics.standard_accuracy(FEATURES, np.array([1]), head) == 1
    message = "must have a gate for this. Received: gate_matrix=None"
    with pytest.raises(ValueError, match=message):
        call(head)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kernel": np.ones(3)}, r"\(filters, classes\).*shape=\(3,\)"),
        ({"kernel": np.ones((0, 2))}, r"\(filters, classes\).*shape=\(0, 2\)"),
        ({"kernel": np.full((3, 2), np.nan)}, "`kernel` must be finite.*6 val"),
        ({"kernel": np.ones((4, 2))}, r"`gate_matrix` .* shape \(2, 4\)"),
        ({"bias": np.ones(3)}, r"`bias` must have shape \(2,\).*\(3,\)"),
        ({"bias": np.array([0, np.inf])}, "`bias` must be finite.*1 values"),
        ({"gate_matrix": np.ones((3, 2))}, r"\(2, 3\).*shape=\(3, 2\)"),
        ({"gate_matrix": np.full((2, 3), 2.0)}, r"in \[0, 1\].*\[2.0, 2.0\]"),
    ],
)
def test_what_is_no_head_is_refused(changed, message):
    arrays = {"kernel": KERNEL, "bias": BIAS, "gate_matrix": GATE}
    with pytest.raises(ValueError, match=message):
        Head(**arrays | changed)


@pytest.mark.parametrize(
    "figure",
    [
        metrics.own_accuracy,
        metrics.gated_accuracy,
        metrics.ablation,
        metrics.shuffled_gate,
    ],
)
def test_arrays_are_checked_once(monkeypatch, figure):
    features, labels, head = random_samples()
    checked, check = [], checks.check_finite
    monkeypatch.setattr(
        checks,
        "check_finite",
        lambda array, name: checked.append(name) or check(array, name),
    )
    figure(features, labels, head)
    assert checked == ["features"]
