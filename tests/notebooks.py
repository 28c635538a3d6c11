"""Notebooks as tests read and run them."""

import json

import pytest

from tests.test_release import tool


def code_cells(path):
    """Returns the cells of a notebook that hold code."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def check_code(path):
    """Compiles each cell; a line of it says where it does not."""
    for cell in code_cells(path):
        compile("".join(cell["source"]), cell["id"], "exec")


def execute(path, folder, seconds):
    """Runs a notebook as `make tutorials` does; returns it with its output."""
    for package in ("nbformat", "nbclient", "ipykernel"):
        pytest.importorskip(package, reason=f"pip install {package}")
    return tool("run_tutorials").execute(path, folder, seconds)
