"""The matrix keeps what it found, and says what was not run."""

import json

import pytest

from tests.test_release import tool

matrix = tool("test_matrix")
ASKED = {"wheel": "abc", "tests": ["tests/layers"]}


@pytest.fixture
def cell(tmp_path):
    return matrix.Cell(tmp_path, "3.12", "lowest")


def keep(cell, **found):
    cell.kept.write_text(json.dumps({"asked": ASKED, **found}), "utf-8")


def test_what_passed_is_not_run_again(cell):
    assert cell.found(ASKED) is None
    keep(cell, outcome="passed", seconds=3)
    assert cell.found(ASKED)["seconds"] == 3


@pytest.mark.parametrize(
    "other", [{"wheel": "abd"}, {"tests": ["tests/layers", "tests/models"]}]
)
def test_another_wheel_or_other_tests_are_run(cell, other):
    keep(cell, outcome="passed")
    assert cell.found({**ASKED, **other}) is None


def test_a_cell_of_a_path_is_that_of_its_version(tmp_path):
    path = "/opt/python/3.12.1/bin/python"
    assert matrix.Cell(tmp_path, path, "newest").name == "3.12-newest"


def test_what_failed_is_run_again(cell):
    keep(cell, outcome="tests: 1 failed")
    assert cell.found(ASKED) is None


def test_a_python_that_is_not_here_is_said(cell, monkeypatch):
    monkeypatch.setattr(matrix, "_call", lambda *words, **kwargs: (2, ""))
    found = cell.run("the.whl", ASKED)
    assert found["outcome"] == "no such Python here"
    assert json.loads(cell.kept.read_text("utf-8")) == found


def test_the_table_has_versions_counts_and_what_was_not_run(cell, tmp_path):
    keep(
        cell,
        outcome="passed",
        versions={"python": "3.12.1", "keras": "3.15.0", "numpy": "2.0.0"},
        tests={"passed": 12, "skipped": 1},
    )
    text = matrix.table([cell, matrix.Cell(tmp_path, "3.13", "newest")])
    rows = text.splitlines()
    assert rows[2].startswith("| 3.12.1 | lowest | 3.15.0 | - | 2.0.0 |")
    assert "12 passed, 1 skipped | passed" in rows[2]
    assert rows[3].endswith("| - | not run |")


def test_what_libraries_log_behind_the_summary_does_not_hide_it(
    cell, monkeypatch
):
    said = iter(
        [
            (0, '{\n"versions": {}\n}'),
            (
                1,
                "1 failed, 2 passed in 3.45s\nI0000 00:00:1.2 cudart_stub.cc\n",
            ),
        ]
    )
    monkeypatch.setattr(matrix, "_call", lambda *_, **__: next(said))
    monkeypatch.setattr(cell, "_lay_tree", lambda: None)
    found = {}
    outcome = cell._look(found, ASKED)
    assert outcome == "tests: 1 failed, 2 passed in 3.45s"
    assert found["tests"] == {"failed": 1, "passed": 2}
