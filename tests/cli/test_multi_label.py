"""Several classes an image, on the command line."""

import csv
import json

import pytest

from tests.tiny import registered_tiny
from tests.training.pairs import write_pairs

NETWORK = ["--backbone", "tiny", "--epochs", "1", "--batch-size", "32"]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("data") / "pairs", 120)


def table_of(pairs):
    return ["--labels", pairs / "labels.csv", "--multi-label"]


def test_it_trains_and_predicts(pairs, tmp_path, run_cli):
    run = tmp_path / "run"
    with registered_tiny():
        code, out, err = run_cli(
            "train", "--data", pairs, *table_of(pairs), *NETWORK, "--out", run
        )
    assert code == 0, err
    assert "10 classes, several an image" in err
    assert "validation average precision" in err
    assert "mean average precision" in out and "confusion" not in out
    image = pairs / "0000.png"
    code, out, err = run_cli("predict", run, image, "--top", 2)
    assert code == 0, err
    assert "present: " in out and "class-specific head: " in out
    found = tmp_path / "found.csv"
    code, _, err = run_cli("predict", run, pairs, "--out", found)
    assert code == 0, err
    # What is predicted can be read as a table of labels.
    with found.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 120 and all(row["class_name"] for row in rows)
    for asked, said in (
        (["evaluate", run, "--ablate", "one"], "--ablate draws"),
        (["localize", run], "have several classes"),
    ):
        code, _, err = run_cli(*asked)
        assert code == 2 and said in err and "Traceback" not in err


def test_data_are_counted_by_class_and_by_image(pairs, tmp_path, run_cli):
    picture = tmp_path / "some.png"
    asked = ["data", pairs, *table_of(pairs), "--picture", picture]
    code, out, err = run_cli(*asked, "--json")
    assert code == 0, err
    report = json.loads(out)
    assert sum(report["examples"].values()) == 120
    assert sum(report["counts"]["train"]) > report["examples"]["train"]
    assert picture.exists()
    code, out, err = run_cli(*asked)
    assert code == 0 and "│ all" in out


@pytest.mark.parametrize(
    "line, said",
    [
        ("0002.png,,test", "line 4 must name the classes of '0002.png'"),
        ("0002.png,tree,test", "line 4 must name classes out of"),
        ("gone.png,one,test", "line 4 must name a file in"),
    ],
)
def test_a_bad_row_is_a_line_and_2(pairs, tmp_path, run_cli, line, said):
    lines = (pairs / "labels.csv").read_text().splitlines()
    lines[3] = line
    table = tmp_path / "bad.csv"
    table.write_text("\n".join(lines))
    names = "zero,one,two,three,four,five,six,seven,eight,nine"
    code, _, err = run_cli(
        "train", "--data", pairs, "--labels", table, "--multi-label",
        "--classes", names, "--out", tmp_path / "run",
    )  # fmt: skip
    assert code == 2
    assert said in err and "bad.csv" in err and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_it_needs_a_table(run_cli, tmp_path):
    code, _, err = run_cli("train", "--multi-label", "--out", tmp_path / "run")
    assert code == 2 and "with a table of --labels" in err
