"""The notebook under examples/ runs, and is kept without what it printed."""

import pytest

from tests.notebooks import check_code, code_cells, execute
from tests.source_tree import ROOT

PATH = ROOT / "examples" / "explain_and_edit.ipynb"
SECONDS = 300
"""What it may take, on two cores that have nothing else to do."""


def test_its_code_can_be_read():
    assert len(code_cells(PATH)) > 5
    check_code(PATH)


def test_it_is_kept_without_outputs():
    for cell in code_cells(PATH):
        assert cell["outputs"] == [] and cell["execution_count"] is None
    assert '"signature"' not in PATH.read_text("utf-8")


@pytest.mark.slow
# How Jupyter's own packages use each other's older names.
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_it_runs_in_under_five_minutes(tmp_path):
    notebook = execute(PATH, tmp_path, SECONDS)
    folder = tmp_path / "explain_and_edit"
    assert (folder / "without_nine.onnx").exists()
    assert (folder / "run" / "filters" / "index.html").exists()
    text = "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "agrees with the network: True" in text
    shown = [
        output["data"]["text/html"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    assert any("data:image/png;base64," in html for html in shown)
