import json

import keras
import numpy as np
import pytest

from keras_csg.arguments import (
    height_and_width,
    real_number,
    whole_number,
)
from keras_csg.layers import CSGGate, GateSparsity
from keras_csg.layers.gate_budget import GateBudget
from tests.tiny import tiny_classifier


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_become_ints(value):
    assert type(whole_number("n", value, 2)) is int
    assert whole_number("n", value, 2) == 3


@pytest.mark.parametrize("value", ["3", 2.5, 3.0, True, None, 1, np.bool_(1)])
def test_what_is_no_whole_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match="`n` must be a whole number") as error:
        whole_number("n", value, 2)
    assert f"n={value!r}" in str(error.value)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5)])
def test_real_numbers_become_floats(value):
    assert type(real_number("x", value)) is float
    assert real_number("x", value) == 0.5


@pytest.mark.parametrize(
    "value", ["0.5", True, None, float("nan"), float("inf"), [0.5]]
)
def test_what_is_no_finite_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match="`x` must be a number. Received: x="):
        real_number("x", value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CSGGate(np.int64(3), np.float32(0.5), np.float64(0.25)),
        lambda: GateSparsity(np.float32(0.5), np.float64(0.5)),
        lambda: GateBudget(np.float32(0.5), np.float32(0.25)),
    ],
    ids=["gate", "penalty", "budget"],
)
def test_numpys_numbers_are_saved_as_json(make):
    given = make()
    config = json.loads(json.dumps(given.get_config()))
    assert type(given).from_config(config).get_config() == config


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: CSGGate("3"), "num_classes='3'"),
        (lambda: CSGGate(2.5), "num_classes=2.5"),
        (lambda: CSGGate(True), "num_classes=True"),
        (lambda: CSGGate(3, "x"), "density='x'"),
        (lambda: CSGGate(3, 0), "density=0"),
        (lambda: CSGGate(3, None, "a"), "lambda_2='a'"),
        (lambda: GateSparsity(-1), "lambda_2=-1"),
        (lambda: GateBudget("x"), "density='x'"),
        (lambda: GateBudget(None, 2), "least_share=2"),
    ],
)
def test_impossible_arguments_are_refused_in_one_line(make, match):
    with pytest.raises(ValueError, match=match) as error:
        make()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: CSGGate(3), "num_classes"),
        (lambda: CSGGate(3), "density"),
        (lambda: CSGGate(3), "lambda_2"),
        (lambda: GateSparsity(), "lambda_2"),
        (lambda: GateBudget(), "density"),
        (tiny_classifier, "num_classes"),
        (tiny_classifier, "gated"),
        (tiny_classifier, "lambda_1"),
        (tiny_classifier, "lambda_2"),
        (tiny_classifier, "lambda_3"),
        (tiny_classifier, "lambda_4"),
        (tiny_classifier, "lambda_5"),
        (tiny_classifier, "lambda_6"),
        (tiny_classifier, "filter_dropout"),
        (tiny_classifier, "density"),
        (tiny_classifier, "backbone_rate"),
    ],
)
def test_what_a_step_is_traced_with_cannot_be_set_later(make, name):
    given = make()
    before = getattr(given, name)
    match = f"new {type(given).__name__} .*Received: {name}=0.7"
    with pytest.raises(AttributeError, match=match):
        setattr(given, name, 0.7)
    assert getattr(given, name) == before


def test_a_gate_of_mixed_precision_does_not_round_soft_labels():
    """In bfloat16 0.9 would be 0.8984."""
    gate = CSGGate(2, dtype="mixed_bfloat16")
    gate.build((None, 3))
    gate.gate_matrix.assign([[1.0, 0.5, 0.0], [0.0, 1.0, 1.0]])
    soft = np.array([[0.9, 0.1]], "float32")
    features = np.ones((1, 3), "float32")
    gated = gate(features, soft)
    assert keras.backend.standardize_dtype(gated.dtype) == "bfloat16"
    seen = []
    gate.rows = lambda labels: seen.append(labels) or CSGGate.rows(gate, labels)
    gate(features, soft)
    np.testing.assert_array_equal(seen[0], soft)
    np.testing.assert_allclose(gate.rows(soft), [[0.9, 0.55, 0.1]], rtol=1e-6)


@pytest.mark.parametrize(
    "given, size",
    [
        (None, None),
        (224, (224, 224)),
        ("224", (224, 224)),
        ("224x320", (224, 320)),
        ((224, 320), (224, 320)),
        ([np.int64(8), 9], (8, 9)),
    ],
)
def test_the_size_of_images(given, size):
    assert height_and_width(given) == size


@pytest.mark.parametrize(
    "given",
    [0, -1, True, "", "x", "8x", "8x9x3", "a", 2.5, (8,), (8, 0), "0x8"],
)
def test_what_is_no_size_of_images(given):
    with pytest.raises(ValueError, match="`image_size` must be a positive"):
        height_and_width(given)
