import json

import pytest

from keras_csg.training import Run


def test_a_table_before_and_after_for_every_class(tiny_run, run_cli, tmp_path):
    out_path = tmp_path / "edited"
    code, out, err = run_cli(
        "edit", tiny_run, "--remove-filters", "3, 17", "--out", out_path
    )
    assert code == 0, err
    for word in ("before", "after", "mean of the classes left", "parameters: "):
        assert word in out
    assert "left classes" not in out  # All of them are.
    assert "Removed 2 filters" in err
    assert Run(out_path).load_model().filters == 18


def test_json_is_what_the_run_keeps(tiny_run, run_cli, tmp_path):
    out_path = tmp_path / "edited"
    code, out, err = run_cli(
        "edit", tiny_run, "--keep-classes", "1,2,7", "--out", out_path, "--json"
    )
    assert code == 0, err
    result = json.loads(out)
    assert result == json.loads((out_path / "edit.json").read_text())
    assert len(result["removed_classes"]) == 7


def test_classes_are_removed_one_by_one(tiny_run, run_cli, tmp_path):
    out_path = tmp_path / "edited"
    code, out, err = run_cli(
        *("edit", tiny_run, "--remove-class", "1", "--remove-class", "4"),
        *("--out", out_path),
    )
    assert code == 0, err
    assert "before, left classes" in out
    assert Run(out_path).load_model().num_classes == 8


@pytest.mark.parametrize(
    "given, message",
    [
        (["--remove-class", "x"], "There is no class 'x'; the nearest are"),
        (["--remove-filters", "a,1"], "takes numbers of filters, such as"),
        (["--remove-filters", "99"], "There is no filter 99"),
        ([], "Exactly one of"),
        (["--prune-dead", "--prune-shared"], "Exactly one of"),
    ],
)
def test_mistakes_are_one_line(tiny_run, run_cli, tmp_path, given, message):
    code, out, err = run_cli(
        "edit", tiny_run, *given, "--out", tmp_path / "edited"
    )
    assert code == 2 and not out
    assert message in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "edited").exists()


def test_a_run_that_is_none(run_cli, tmp_path):
    code, _, err = run_cli(
        "edit", tmp_path, "--prune-dead", "--out", tmp_path / "x"
    )
    assert code == 2 and "is not a run directory" in err
