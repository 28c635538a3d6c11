"""Imports point one way: nothing below knows of what stands on it."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent

# From the top down. A module may import its own layer and those below.
LAYERS = [
    ["keras_csg_cli"],
    ["keras_csg.commands"],
    ["keras_csg.training", "keras_csg.deployment"],
    ["keras_csg.evaluation"],
    ["keras_csg.plots", "keras_csg.explain"],
    ["keras_csg.models"],
    ["keras_csg.metrics", "keras_csg.data"],
    ["keras_csg.backbones"],
    ["keras_csg.layers", "keras_csg.optimizers"],
    [
        "keras_csg.files",
        "keras_csg.quiet",
        "keras_csg.choices",
        "keras_csg.private_api",
        "keras_csg.serialization",
        "keras_csg.stand_in",
        "keras_csg.version",
    ],
]


def level(module):
    for number, layer in enumerate(LAYERS):
        if any(module == n or module.startswith(n + ".") for n in layer):
            return number
    return None


def modules():
    for folder, package in (
        ("keras_csg", "keras_csg"),
        ("cli", "keras_csg_cli"),
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *parts]).removesuffix(".__init__")
            if name != "keras_csg":  # The public API, which imports it all.
                yield name, path


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    "name, path", [pytest.param(*m, id=m[0]) for m in modules()]
)
def test_a_module_imports_only_what_it_stands_on(name, path):
    own = level(name)
    assert own is not None, f"say in LAYERS where {name} stands"
    above = {
        imported
        for imported in imports_of(path)
        if (other := level(imported)) is not None and other < own
    }
    assert not above


def test_only_the_plot_modules_import_a_plotting_library():
    plotting = {
        name
        for name, path in modules()
        if any(m.startswith("matplotlib") for m in imports_of(path))
    }
    assert plotting <= {"keras_csg.plots.runs", "keras_csg.plots.maps"}


def test_the_library_never_prints():
    for name, path in modules():
        if name.startswith("keras_csg."):
            calls = [
                node
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "print"
            ]
            assert not calls, name
