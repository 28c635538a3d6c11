"""Folders, patterns, broken files, and predictions in a file."""

import csv
import importlib
import json
import os
import shutil

import pytest


def test_folders_and_patterns_are_taken(tiny_run, digit, tmp_path, run_cli):
    folder = tmp_path / "more" / "deep"
    folder.mkdir(parents=True)
    for path in digit[0]:
        shutil.copy(path, folder / path.name)
    (folder / "notes.txt").touch()
    for images in (tmp_path / "more", tmp_path / "more" / "**" / "*.png"):
        code, out, err = run_cli("predict", tiny_run, images, "--json")
        assert code == 0, err
        found = [entry["image"] for entry in json.loads(out)]
        assert found == [str(folder / f"{n}.png") for n in range(3)]
    code, out, err = run_cli("predict", tiny_run, tmp_path / "*.gif")
    assert code == 2
    assert err.strip() == f"Error: There is no image file {tmp_path / '*.gif'}."


def test_what_is_passed_over_in_a_folder_is_said(
    tiny_run, digit, tmp_path, run_cli
):
    paths, _ = digit
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(paths[0], folder / "without_suffix")
    (folder / ".hidden.png").touch()
    code, out, err = run_cli("predict", tiny_run, folder)
    assert code == 2 and "There are no images in" in err
    assert "1 no images by their suffix: without_suffix" in err
    shutil.copy(paths[0], folder / "image.png")
    code, out, err = run_cli("predict", tiny_run, folder, "--json")
    assert code == 0 and len(json.loads(out)) == 1
    line = f"Passed over in {folder}: 1 no images by their suffix: with"
    assert line in err and ".hidden" not in err
    assert run_cli("predict", tiny_run, folder / "without_suffix")[0] == 0


def test_broken_files_do_not_stop_the_others(
    tiny_run, digit, tmp_path, run_cli
):
    paths, _ = digit
    code, out, err = run_cli("predict", tiny_run, *paths, "--json")
    known = json.loads(out)
    paths[1].write_bytes(b"no image")
    (tmp_path / "also.png").touch()
    code, out, err = run_cli("predict", tiny_run, tmp_path, "--json")
    assert code == 2
    assert err.startswith("Error: 2 of 4 images have no prediction: Cannot re")
    found = {entry["image"]: entry for entry in json.loads(out)}
    for number in (0, 2):
        best, entry = found[str(paths[number])]["classes"], known[number]
        assert best[0]["class_name"] == entry["classes"][0]["class_name"]
    assert "Cannot read" in found[str(paths[1])]["error"]
    code, out, err = run_cli("predict", tiny_run, paths[1])
    assert (code, out) == (2, "")
    assert err.startswith(f"Error: Cannot read the image {paths[1]}")


def test_predictions_go_to_a_file(tiny_run, digit, tmp_path, run_cli):
    paths, _ = digit
    code, out, _ = run_cli("predict", tiny_run, *paths, "--json")
    known = json.loads(out)
    lines, table = tmp_path / "out" / "a.jsonl", tmp_path / "a.csv"
    code, out, err = run_cli("predict", tiny_run, *paths, "--out", lines)
    assert (code, out) == (0, "")
    assert f"Wrote 3 predictions to {lines}" in err
    text = lines.read_text().splitlines()
    assert [json.loads(line) for line in text] == known
    paths[1].write_bytes(b"no image")
    code, _, err = run_cli("predict", tiny_run, *paths, "--out", table)
    assert code == 2
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row, entry in zip(rows[::2], known[::2], strict=True):
        assert row["image"] == entry["image"]
        assert row["class_name"] == entry["classes"][0]["class_name"]
        # In a batch of two, so some processors round the last bit otherwise.
        for key, known_value in (
            ("probability", entry["classes"][0]["probability"]),
            ("gate_agreement", entry["gate_agreement"]),
        ):
            assert float(row[key]) == pytest.approx(known_value, rel=1e-5)
    assert "Cannot read" in rows[1]["error"] and not rows[1]["class_name"]


@pytest.mark.parametrize(
    "name, message",
    [
        ("a.txt", "go to a .csv or a .jsonl file"),
        ("there.csv/a.csv", "there.csv"),
        ("folder.csv", "Cannot write to"),
    ],
)
def test_a_file_that_cannot_be_had(
    tiny_run, digit, tmp_path, run_cli, name, message
):
    (tmp_path / "there.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    code, out, err = run_cli(
        "predict", tiny_run, digit[0][0], "--out", tmp_path / name
    )
    assert (code, out) == (2, "")
    assert message in err and len(err.splitlines()) == 1


def test_a_name_that_is_no_utf_8(tiny_run, digit, tmp_path, run_cli):
    folder = tmp_path / "odd"
    folder.mkdir()
    path = os.fsencode(folder) + b"/caf\xe9.png"
    shutil.copy(digit[0][0], path)
    code, out, err = run_cli("predict", tiny_run, folder)
    assert code == 0, err
    code, out, err = run_cli(
        "predict", tiny_run, folder, "--out", tmp_path / "a.csv"
    )
    assert code == 0, err
    assert b"caf\xe9.png" in (tmp_path / "a.csv").read_bytes()


@pytest.mark.parametrize(
    "command", [["predict"], ["explain"], ["detect", "score"]]
)
def test_files_that_are_not_there_are_named_before_a_library_is_loaded(
    command, run_cli, tmp_path, monkeypatch
):
    def load():
        raise AssertionError("The library was loaded.")

    module = importlib.import_module(f"keras_csg_cli.{command[0]}")
    monkeypatch.setattr(module, "load_library", load)
    missing = tmp_path / "missing.jpg"
    code, _, err = run_cli(*command, "weights:cifar10", missing)
    assert code == 2
    assert err.strip() == f"Error: There is no image file {missing}."
