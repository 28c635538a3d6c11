import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from keras_csg import metrics

GATED = (
    metrics.class_specific_accuracy,
    metrics.own_accuracy,
    metrics.complement_accuracy,
    metrics.gated_accuracy,
)
# Two filters, each its class's own and each speaking for its class.
KERNEL = np.eye(2)
BIAS = np.array([0.0, 0.1])
GATE = np.eye(2)
FEATURES = np.array([[2.0, 0], [1, 3], [3, 1], [0, 2]])
LABELS = np.array([0, 1, 1, 1])  # The third is taken for class 0.


def random_arrays(samples=80, classes=4, filters=9, seed=0):
    rng = np.random.default_rng(seed)
    gate = rng.uniform(0, 0.9, (classes, filters))
    gate[rng.integers(classes, size=filters), np.arange(filters)] = 1
    gate[0, 3] = 1  # May be a second class's.
    return (
        rng.exponential(size=(samples, filters)),
        rng.integers(classes, size=samples),
        rng.normal(size=(filters, classes)),
        rng.normal(size=classes),
        gate,
    )


def test_small_case_by_hand():
    assert metrics.standard_accuracy(FEATURES, LABELS, KERNEL, BIAS) == 0.75
    arrays = (FEATURES, LABELS, KERNEL, BIAS, GATE)
    assert metrics.class_specific_accuracy(*arrays) == 0.75
    assert metrics.own_accuracy(*arrays) == 0.75
    # Without the predicted class's filter: sample 0 goes to class 1 by the
    # bias, 1 to class 0, and 2 to class 1; 3 stays, by the bias.
    assert metrics.complement_accuracy(*arrays) == 0.5
    # With the label's filter alone everything is right.
    assert metrics.gated_accuracy(*arrays) == 1
    # With the other class's alone only sample 3 is, again by the bias.
    assert metrics.gated_accuracy(*arrays, rows=1 - LABELS) == 0.25


def test_an_open_gate_changes_nothing():
    features, labels, kernel, bias, gate = random_arrays()
    standard = metrics.standard_accuracy(features, labels, kernel, bias)
    open_gate = np.ones_like(gate)
    for figure in GATED:
        value = figure(features, labels, kernel, bias, open_gate)
        if figure is metrics.complement_accuracy:  # Nothing but the bias.
            assert value == np.mean(labels == bias.argmax())
        else:
            assert value == standard


def test_every_path_is_the_formula_sample_by_sample():
    features, labels, kernel, bias, gate = random_arrays()
    predicted = {figure: [] for figure in GATED}
    for a, y in zip(features, labels, strict=True):
        m = gate[np.argmax(kernel.T @ a + bias)] == 1
        for figure, logits in zip(
            GATED,
            (
                (kernel.T * gate) @ a + bias,
                kernel.T @ (a * m) + bias,
                kernel.T @ (a * (1 - m)) + bias,
                kernel.T @ (gate[y] * a) + bias,
            ),
            strict=True,
        ):
            predicted[figure].append(np.argmax(logits))
    for figure, values in predicted.items():
        assert figure(features, labels, kernel, bias, gate) == accuracy_score(
            labels, values
        )


def test_equal_logits_count_for_the_first_class():
    assert metrics.accuracy(np.zeros((4, 2)), np.array([0, 1, 1, 1])) == 0.25


def test_a_class_without_samples_is_no_matter():
    features, labels, *head = random_arrays()
    kept = labels != 2
    for figure in GATED:
        assert 0 <= figure(features[kept], labels[kept], *head) <= 1


ARRAYS = dict(
    zip(
        ("features", "labels", "kernel", "bias", "gate_matrix"),
        random_arrays(),
        strict=True,
    )
)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"features": np.ones(80)}, "two axes"),
        ({"features": np.ones((0, 9)), "labels": np.ones(0, int)}, "empty"),
        ({"features": np.full((80, 9), np.nan)}, "finite.*720 values"),
        ({"labels": np.full(80, 4)}, r"in \[0, 4\)"),
        ({"labels": np.full(80, -1)}, r"in \[0, 4\)"),
        ({"labels": np.zeros(79, int)}, "80 integers"),
        ({"labels": np.zeros((80, 1), int)}, "80 integers"),
        ({"labels": np.zeros(80)}, "80 integers.*float64"),
        ({"kernel": np.ones((8, 4))}, r"\(9, classes\)"),
        ({"bias": np.ones(3)}, r"\(4,\)"),
        ({"gate_matrix": np.ones((9, 4))}, r"\(4, 9\)"),
        ({"gate_matrix": np.full((4, 9), 2.0)}, r"in \[0, 1\]"),
    ],
)
@pytest.mark.parametrize(
    "figure", [*GATED, metrics.ablation, metrics.shuffled_gate]
)
def test_what_does_not_fit_is_refused(figure, changed, message):
    with pytest.raises(ValueError, match=f"{message}.*"):
        figure(**{**ARRAYS, **changed})
