"""The notebook under examples/ runs, and is kept without what it printed."""

import json
import time

import pytest

from tests.source_tree import ROOT

PATH = ROOT / "examples" / "explain_and_edit.ipynb"
SECONDS = 300
"""What it may take, on two cores that have nothing else to do."""


def code_cells():
    cells = json.loads(PATH.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_its_code_can_be_read():
    assert len(code_cells()) > 5
    for cell in code_cells():
        compile("".join(cell["source"]), cell["id"], "exec")


def test_it_is_kept_without_outputs():
    for cell in code_cells():
        assert cell["outputs"] == [] and cell["execution_count"] is None
    assert "signature" not in json.loads(PATH.read_text("utf-8"))["metadata"]


@pytest.mark.slow
# How Jupyter's own packages use each other's older names.
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_it_runs_in_under_five_minutes(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat")
    nbclient = pytest.importorskip("nbclient", reason="pip install nbclient")
    pytest.importorskip("ipykernel", reason="pip install ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(PATH, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    start = time.monotonic()
    client.execute()
    assert time.monotonic() - start < SECONDS
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
