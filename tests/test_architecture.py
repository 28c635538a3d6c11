"""Imports point one way: nothing below knows of what stands on it."""

import ast
import graphlib

import pytest

from tests.source_tree import (
    PACKAGES,
    ROOT,
    import_graph,
    imports_of,
    modules,
    parse,
)

# From the top down. A module may import its own layer and those below.
LAYERS = [
    ["keras_csg_cli"],
    # The public names alone, not what is in the package.
    ["keras_csg", "keras_csg.serialization"],
    ["keras_csg.commands"],
    ["keras_csg.interactive", "keras_csg.serving"],
    ["keras_csg.reports"],
    ["keras_csg.training", "keras_csg.deployment"],
    ["keras_csg.robustness"],
    ["keras_csg.evaluation"],
    ["keras_csg.plots", "keras_csg.explain", "keras_csg.edit"],
    ["keras_csg.models"],
    ["keras_csg.metrics", "keras_csg.data"],
    ["keras_csg.backbones"],
    ["keras_csg.layers", "keras_csg.optimizers"],
    [
        "keras_csg.arguments",
        "keras_csg.files",
        "keras_csg.quiet",
        "keras_csg.choices",
        "keras_csg.engines",
        "keras_csg.printable",
        "keras_csg.private_api",
        "keras_csg.untrusted",
        "keras_csg.version",
    ],
]
# `reports` and `interactive` are what people look at, `serving` what programs
# ask; `edit` changes classifiers, which nothing else does; `robustness` attacks
# them and tells attacked images from others; `untrusted` measures what comes
# from strangers, for all that open it, `printable` what of it is shown.
MOST_ROOMS = 30
MOST_LINES = 300


def level(module):
    for number, layer in enumerate(LAYERS):
        for name in layer:
            inside = name != "keras_csg" and module.startswith(name + ".")
            if module == name or inside:
                return number
    return None


GRAPH = import_graph()
# Short forms of public functions, as `model.export`: through public names.
SHORT_FORMS = {
    "keras_csg.models.proven_export": {"keras_csg"},
    "keras_csg.models.explained": {"keras_csg.explain"},
}
for short, public in SHORT_FORMS.items():
    GRAPH[short] = set(GRAPH[short]) - public


@pytest.mark.parametrize("name", GRAPH)
def test_a_module_imports_only_what_it_stands_on(name):
    own = level(name)
    assert own is not None, f"say in LAYERS where {name} stands"
    assert not {other for other in GRAPH[name] if level(other) < own}


def test_no_two_modules_need_each_other():
    try:
        graphlib.TopologicalSorter(GRAPH).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_module_needs_the_package_it_is_in():
    """Threads that import the two at once would wait for each other."""
    needed = {
        (name, node.module)
        for name, path in modules("keras_csg").items()
        if path.stem != "__init__"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom)
        # The package's face imports nothing of what is in it.
        if node.module != "keras_csg" and name.startswith(f"{node.module}.")
    }
    assert not needed


def test_the_top_two_levels_are_few():
    library = [
        path
        for path in PACKAGES["keras_csg"].iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    ]
    others = ["cli", "benchmarks"]
    assert len(library) + len(others) <= MOST_ROOMS


def test_no_file_is_long():
    folders = ("keras_csg", "cli", "tests", "benchmarks", "examples")
    long = {
        str(path.relative_to(ROOT)): lines
        for folder in folders
        for path in (ROOT / folder).rglob("*.py*")
        if path.suffix in (".py", ".pyi")
        if (lines := len(path.read_text("utf-8").splitlines())) > MOST_LINES
    }
    assert not long


def test_only_the_plot_modules_import_a_plotting_library():
    plotting = {
        name
        for name, path in modules().items()
        if any(m.partition(".")[0] == "matplotlib" for m in imports_of(path))
    }
    assert plotting <= {
        "keras_csg.plots.examples",
        "keras_csg.plots.explanations",
        "keras_csg.plots.robustness",
        "keras_csg.plots.runs",
        "keras_csg.plots.saving",
        "keras_csg.plots.maps",
    }


def test_models_need_neither_metrics_nor_scikit_learn():
    for name, path in modules("keras_csg").items():
        if name.startswith("keras_csg.models"):
            imported = imports_of(path)
            strange = ("keras_csg.metrics", "sklearn")
            assert not [m for m in imported if m.startswith(strange)], name


def test_the_library_never_prints():
    for name, path in modules("keras_csg").items():
        calls = [
            node
            for node in ast.walk(parse(path))
            if isinstance(node, ast.Call)
            and getattr(node.func, "id", "") == "print"
        ]
        assert not calls, name
