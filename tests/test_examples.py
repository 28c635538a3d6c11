"""The examples run, with settings that make them quick."""

import importlib.util
import pathlib

import numpy as np

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_train_digits(capsys):
    results = load("train_digits.py").main(epochs=1, image_size=8)
    assert 0 <= results["accuracy"] <= 1
    assert "filters of digit 9" in capsys.readouterr().out


def test_gate_in_a_keras_model():
    gate_matrix = load("gate_in_a_keras_model.py").main(epochs=30)
    np.testing.assert_array_equal(gate_matrix.max(axis=0), np.ones(8))
    assert gate_matrix.mean() < 0.75
