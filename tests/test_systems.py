"""What only POSIX has is not asked for where it may not be."""

import ast
import subprocess
import sys

import pytest

from keras_csg.training import costs
from tests.source_tree import modules, parse
from tests.tiny import tiny_classifier

ONLY_POSIX = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
# Their names in `os` and `signal`, with what asks first whether they are.
ASKED = {"fork": "hasattr", "register_at_fork": "os.name"}


def test_a_module_of_posix_is_imported_where_its_absence_is_expected():
    for name, path in modules().items():
        tree = parse(path)
        expected = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.Try)
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named = {alias.name for alias in node.names}
                assert not named & ONLY_POSIX or id(node) in expected, name


def test_calls_of_posix_are_asked_about_first():
    for name, path in modules().items():
        text = path.read_text("utf-8")
        for call, question in ASKED.items():
            if f"os.{call}(" in text:
                assert question in text, name


@pytest.mark.slow
def test_trainings_are_there_without_modules_of_posix():
    bars = "".join(f"sys.modules[{name!r}] = None;" for name in ONLY_POSIX)
    # As on Windows, where they are not there; libraries ask for some first.
    code = (
        "import sys, keras, tensorflow, tensorflow_datasets;"
        f"{bars} import keras_csg.training.trainer, keras_csg_cli.main"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_where_the_peak_of_memory_is_unknown_the_rest_is_said(monkeypatch):
    monkeypatch.setattr(costs, "resource", None)
    found = costs.costs_of(tiny_classifier(), [1.0])
    assert found["peak_memory_mib"] is None
    line = costs.line_of(found)
    assert "memory" not in line and "1.0 s an epoch" in line
