"""What goes with the next minor version works until then, and says so."""

import ast
import tomllib
import warnings

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg import metrics
from keras_csg.version import deprecated
from tests.source_tree import ROOT, modules, parse
from tests.tiny import tiny_classifier, tiny_data

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
VERSION = tuple(map(int, PROJECT["project"]["version"].split(".")[:2]))
WARNS = {"deprecated", "warn_of_deprecated"}


def deprecations():
    """Gives the place and the last version of each use in the package."""
    for name, path in modules("keras_csg").items():
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call):
                if getattr(node.func, "id", "") in WARNS:
                    until = {k.arg: k.value for k in node.keywords}["until"]
                    if isinstance(until, ast.Constant):
                        yield f"{name}, line {node.lineno}", until.value


def test_what_was_to_go_is_gone():
    due = {
        place: until
        for place, until in deprecations()
        if tuple(map(int, until.split("."))) <= VERSION
    }
    assert not due, "remove them, and say so in the CHANGELOG"
    assert len(list(deprecations())) >= 2


def test_a_function_that_goes_warns_where_it_is_called():
    @deprecated("new_name", until="9.0")
    def old_name(value):
        """Adds one."""
        return value + 1

    message = r"old_name\(\)` is deprecated and goes with version 9.0"
    with pytest.warns(DeprecationWarning, match=message) as caught:
        assert old_name(1) == 2
    assert caught[0].filename == __file__
    assert "in its place comes new_name" in str(caught[0].message)
    assert old_name.__doc__ == "Adds one."


def test_the_inference_model_is_the_standard_path():
    model, (images, _) = tiny_classifier(), tiny_data(5)
    with pytest.warns(DeprecationWarning, match="the classifier itself"):
        plain = model.inference_model()
    assert type(plain) is not type(model) and isinstance(plain, keras.Model)
    assert plain.name == f"{model.name}_inference"
    assert_allclose(plain(images), model(images))


def test_accuracy_takes_its_arguments_in_the_old_order_too():
    labels = np.array([0, 1, 1])
    logits = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    with pytest.warns(DeprecationWarning, match=r"accuracy\(labels, logits\)"):
        assert metrics.accuracy(logits, labels) == pytest.approx(2 / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metrics.accuracy(labels, logits) == pytest.approx(2 / 3)
