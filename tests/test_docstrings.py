"""The examples in docstrings run, and print what they say they print."""

import ast
import doctest
import importlib

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.backbones import registry
from tests.source_tree import modules, parse

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def documented(node, prefix):
    """Gives the dotted names of what has an example in its docstring."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    if isinstance(node, kinds) and ">>>" in (ast.get_docstring(node) or ""):
        yield prefix
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            yield from documented(child, f"{prefix}.{child.name}")


def examples():
    return [
        pytest.param(module, name, id=name)
        for module, path in modules("keras_csg").items()
        for name in documented(parse(path), module)
    ]


@pytest.fixture
def registered(monkeypatch):
    """Lets an example register a backbone without keeping it."""
    monkeypatch.setattr(registry, "_SPECS", dict(registry._SPECS))


@pytest.mark.parametrize("module, name", examples())
def test_docstring_example(module, name, registered):
    namespace = vars(importlib.import_module(module))
    found = namespace
    for part in name.removeprefix(module).split(".")[1:]:
        found = found[part] if found is namespace else getattr(found, part)
    text = namespace["__doc__"] if found is namespace else found.__doc__
    test = doctest.DocTestParser().get_doctest(
        text,
        {"np": np, "keras": keras, "keras_csg": keras_csg, **namespace},
        name,
        None,
        None,
    )
    printed = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=printed.append)
    assert test.examples and not printed, "".join(printed)
