"""What stands beside the package and is run by hand: it has to begin."""

import ast
import importlib
import re

import pytest

from tests.source_tree import ROOT

SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("benchmarks", "examples", "tools")
    for path in (ROOT / folder).rglob("*.py")
)


def missing_names(tree):
    """Returns what a module imports of ours and would not find."""
    return [
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").partition(".")[0] == "keras_csg"
        for alias in node.names
        if not is_there(node.module, alias.name)
    ]


def is_there(module, name):
    """Whether a name, or a module of that name, can be imported."""
    try:
        if hasattr(importlib.import_module(module), name):
            return True
        importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_a_script_imports_is_there(script):
    tree = ast.parse((ROOT / script).read_text("utf-8"))
    assert not missing_names(tree)


def test_what_is_not_there_is_noticed():
    source = (
        "from keras_csg.metrics import mutual_information_score, nothing\n"
        "from keras_csg.nowhere import there\n"
        "from keras_csg import metrics\n"
        "from numpy import nothing\n"
    )
    wanted = ["keras_csg.metrics.nothing", "keras_csg.nowhere.there"]
    assert missing_names(ast.parse(source)) == wanted


def test_every_benchmark_of_the_makefile_is_there():
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    (named,) = re.findall(r"^BENCHES = (.*)$", makefile, re.MULTILINE)
    there = {path.stem for path in (ROOT / "benchmarks").glob("bench_*.py")}
    assert {f"bench_{name}" for name in named.split()} <= there
