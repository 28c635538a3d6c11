"""The tutorials are kept whole: executed in order, with their pictures."""

import base64
import json
import re
import struct

import pytest

from tests.notebooks import check_code, code_cells, execute
from tests.source_tree import ROOT
from tests.test_release import tool

FOLDER = ROOT / "docs" / "tutorials"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 1_500_000
MOST_BYTES_OF_PICTURE = 80_000
SECONDS = 600
"""What one may take where tests share the processors with others."""
OF_A_MACHINE = re.compile(
    r"/(?:home|root|tmp|work|Users|usr|opt|var|private)/|[A-Z]:\\\\|0x[0-9a-f]{6}"
)
each = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS]
)


def outputs(path):
    return [out for cell in code_cells(path) for out in cell["outputs"]]


def pictures(path):
    data = [out.get("data", {}) for out in outputs(path)]
    return [
        base64.b64decode("".join(some["image/png"]))
        for some in data
        if "image/png" in some
    ]


def test_there_are_six_and_they_are_small():
    assert [path.stem[0] for path in NOTEBOOKS] == list("123456")
    sizes = [path.stat().st_size for path in FOLDER.rglob("*")]
    assert sum(sizes) < MOST_BYTES


@each
def test_it_is_listed_before_the_other_tutorials(path):
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    _, _, part = index.partition("\n## Tutorials\n")
    before, _, _ = part.partition("(training.md)")
    assert f"(tutorials/{path.name})" in before


@each
def test_it_is_a_valid_notebook_whose_links_lead_somewhere(path):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat")
    nbformat.validate(nbformat.read(path, as_version=4))
    text = "\n".join(
        "".join(cell["source"])
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
    )
    assert text.startswith("# ")
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
    assert links
    for link in links:
        assert (FOLDER / link).exists(), link


@each
def test_its_code_can_be_read(path):
    check_code(path)


@each
def test_it_was_executed_whole_and_in_order(path):
    cells = code_cells(path)
    counts = [cell["execution_count"] for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "make tutorials"
    kinds = {out["output_type"] for out in outputs(path)}
    assert "error" not in kinds
    assert "stderr" not in {out.get("name") for out in outputs(path)}


@each
def test_it_shows_pictures(path):
    shown = pictures(path)
    assert len(shown) >= 2
    for data in shown:
        width, height = struct.unpack(">II", data[16:24])
        assert width > 100 and height > 50
        assert len(data) < MOST_BYTES_OF_PICTURE


@each
def test_it_holds_nothing_of_the_machine_that_ran_it(path):
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        assert set(cell["metadata"]) <= {"tags"}
        for out in cell.get("outputs", []):
            plain = out.get("data", {}).get("text/plain", [])
            text = "".join(out.get("text", plain))
            assert not OF_A_MACHINE.search(text)
            assert not set("\r\b\x1b") & set(text)
    assert "version" not in notebook["metadata"]["language_info"]


def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path, capsys):
    tutorials = tool("run_tutorials")
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat")
    kernel = nbformat.v4.new_notebook
    output = nbformat.v4.new_output("stream", name="stderr", text="beware\n")
    cell = nbformat.v4.new_code_cell("1 + 1", outputs=[output])
    with pytest.raises(tutorials.Failed, match="cell 1 warns:\nbeware"):
        tutorials.tidy(kernel(cells=[cell]))
    with pytest.raises(SystemExit):
        tutorials.main(["7_none"])
    assert "7_none: not one of 1_photographs" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_an_error_says_where_it_is(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="pip install nbformat")
    tutorials = tool("run_tutorials")
    cells = [nbformat.v4.new_code_cell(code) for code in ("1", "1 / 0")]
    path = tmp_path / "broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    kept = path.read_text("utf-8")
    with pytest.raises(tutorials.Failed, match="cell 2 failed.*Zero"):
        tutorials.run(path)
    assert path.read_text("utf-8") == kept


@pytest.mark.slow
# How Jupyter's own packages use each other's older names.
@pytest.mark.filterwarnings("default::DeprecationWarning")
@each
def test_it_runs_anew(path, tmp_path):
    if "jax" in path.read_text("utf-8"):
        pytest.importorskip("jax", reason="pip install jax")
    if 'layout="web"' in path.read_text("utf-8").replace('\\"', '"'):
        need_web_runtime()
    execute(path, tmp_path, SECONDS)


def need_web_runtime():
    """Skips where ONNX Runtime for browsers neither is nor can be fetched."""
    from keras_csg.deployment.web.runtime import find_runtime

    try:
        find_runtime()
    except ValueError as error:
        pytest.skip(str(error))
