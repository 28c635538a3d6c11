"""Whoever calls the library reads from the signature what goes in and out."""

import ast

import pytest

from tests.source_tree import modules, parse


def public_functions(tree):
    """Yields each public function of a module by name, and whether it returns.

    With the public methods of its public classes and how those are made.
    """
    for node in tree.body:
        if getattr(node, "name", "_").startswith("_"):
            continue
        if isinstance(node, ast.FunctionDef):
            yield node.name, node, True
        if isinstance(node, ast.ClassDef):
            for name, method in _public_methods(node):
                yield f"{node.name}.{name}", method, name != "__init__"


def _public_methods(node):
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and (
            method.name == "__init__" or not method.name.startswith("_")
        ):
            yield method.name, method


def missing(function, returns):
    """Returns what of a function has no annotation."""
    given = function.args
    parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    parameters += [p for p in (given.vararg, given.kwarg) if p is not None]
    names = [
        parameter.arg
        for parameter in parameters
        if parameter.annotation is None and parameter.arg not in ("self", "cls")
    ]
    return names + ["return"] * (returns and function.returns is None)


@pytest.mark.parametrize("name", modules("keras_csg"))
def test_public_functions_are_annotated(name):
    functions = public_functions(parse(modules()[name]))
    lacking = {
        function: names
        for function, node, returns in functions
        if (names := missing(node, returns))
    }
    assert not lacking


@pytest.mark.parametrize(
    "source, lacking",
    [
        ("def f(x: int, *, y: str = '') -> None: ...", {}),
        ("def f(x, *a, y: int, **k) -> None: ...", {"f": ["x", "a", "k"]}),
        ("def f(x: int): ...", {"f": ["return"]}),
        ("def _f(x): ...", {}),
        ("class C:\n def __init__(self, x): ...", {"C.__init__": ["x"]}),
        ("class C:\n def g(self, x): ...", {"C.g": ["x", "return"]}),
        ("class C:\n def g(cls, x: int) -> int: ...", {}),
        ("class C:\n def _g(self, x): ...", {}),
        ("class _C:\n def g(self, x): ...", {}),
    ],
)
def test_what_counts_as_annotated(source, lacking):
    functions = public_functions(ast.parse(source))
    found = {n: m for n, node, r in functions if (m := missing(node, r))}
    assert found == lacking
