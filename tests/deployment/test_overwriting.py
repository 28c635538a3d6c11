"""An export replaces what an export wrote, and nothing of anybody else's."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import keras_csg
from tests.deployment.trained import trained_classifier
from tests.tiny import tiny_classifier


@pytest.fixture(scope="module")
def model():
    return trained_classifier(class_names=["a", "b", "c", "d"])


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in pathlib.Path(folder).rglob("*")
        if path.is_file()
    }


def assert_spared(folder, message, export):
    before = contents(folder)
    with pytest.raises(ValueError, match=message):
        export()
    assert contents(folder) == before


@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
def test_a_file_of_somebody_else_is_spared(model, tmp_path, name):
    path = tmp_path / name
    path.write_text("precious")
    for overwrite, message in ((False, "exists"), (True, "a file that no exp")):
        assert_spared(
            tmp_path,
            message,
            lambda asked=overwrite: keras_csg.export(
                model, path, overwrite=asked
            ),
        )


@pytest.mark.parametrize(
    "name, text",
    [
        ("model.onnx.json", "{}"),
        ("model.onnx.labels.json", '{"mine": 1}'),
        ("model.onnx.proof.json", "no JSON"),
    ],
)
def test_what_lies_beside_and_is_somebody_elses_is_spared(
    model, tmp_path, name, text
):
    (tmp_path / name).write_text(text)
    assert_spared(
        tmp_path,
        f"{name} is no file that an export wrote",
        lambda: keras_csg.export(
            model, tmp_path / "model.onnx", overwrite=True
        ),
    )


@pytest.mark.parametrize("layout", [None, "triton", "tfserving"])
def test_a_folder_of_somebody_else_is_spared(model, tmp_path, layout):
    home = tmp_path / "home"
    (home / "letters").mkdir(parents=True)
    (home / "letters" / "one.txt").write_text("dear")
    assert_spared(
        tmp_path,
        "a folder that no export wrote",
        lambda: keras_csg.export(model, home, layout=layout, overwrite=True),
    )


@pytest.mark.parametrize("path", [".", "..", "~"])
def test_where_somebody_works_or_lives_is_spared(
    model, tmp_path, monkeypatch, path
):
    """Even where a model of ours lies there."""
    saved = tmp_path / "saved_model"
    keras_csg.export(model, saved, outputs=["class_id"])
    monkeypatch.setenv("HOME", str(saved))
    monkeypatch.chdir(saved / "assets.extra" if path == ".." else saved)
    assert_spared(
        tmp_path,
        "the folder you work in|no export wrote",
        lambda: keras_csg.export(model, path, overwrite=True),
    )


def test_a_model_of_ours_is_replaced_with_all_beside_it(model, tmp_path):
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path)
    other = tiny_classifier(class_names=["e", "f", "g", "h"])
    keras_csg.export(other, path, outputs=["class_id"], overwrite=True)
    assert keras_csg.read_metadata(path).class_names == ["e", "f", "g", "h"]
    labels = json.loads((tmp_path / "model.onnx.labels.json").read_text())
    assert labels == ["e", "f", "g", "h"]
    written = json.loads((tmp_path / "model.onnx.json").read_text())
    assert [*written["outputs"]] == ["class_id"]
    assert written == json.loads(keras_csg.read_metadata(path).to_json())
    assert (
        json.loads((tmp_path / "model.onnx.proof.json").read_text())["gaps"]
        == {}
    )
    assert len(os.listdir(tmp_path)) == 4


def test_a_folder_of_ours_is_replaced_unless_others_put_files_in_it(
    model, tmp_path
):
    path = tmp_path / "model"
    keras_csg.export(model, path, outputs=["class_id"])
    keras_csg.export(model, path, outputs=["probabilities"], overwrite=True)
    assert [*keras_csg.read_metadata(path).outputs] == ["probabilities"]
    (path / "assets.extra" / "warmup").write_text("mine")
    assert_spared(
        tmp_path,
        r"files of others in it \(assets.extra/warmup\)",
        lambda: keras_csg.export(model, path, overwrite=True),
    )


def exported_again(model, path, **kwargs):
    return keras_csg.export(
        model, path, layout="triton", outputs=["class_id"], **kwargs
    )


def test_versions_are_added_and_one_alone_is_replaced(model, tmp_path):
    path = tmp_path / "birds"
    assert exported_again(model, path)["version"] == 1
    first = contents(path)
    (path / "notes.md").write_text("mine")
    assert exported_again(model, path)["version"] == 2
    assert exported_again(model, path, version=7)["version"] == 7
    assert exported_again(model, path, overwrite=True)["version"] == 8
    now = contents(path)
    assert {name: now[name] for name in first} == first
    assert now["notes.md"] == b"mine"
    with pytest.raises(ValueError, match="7 exists already.*--version"):
        exported_again(model, path, version=7)
    before = contents(path)
    other = tiny_classifier(class_names=["a", "b", "c", "d"])
    exported_again(other, path, version=7, overwrite=True)
    now = contents(path)
    changed = {name for name in now if now[name] != before.get(name)}
    assert changed == {"7/model.onnx", "7.proof.json"}
    assert now.keys() == before.keys()
    found = keras_csg.open_exported(path)  # The newest.
    assert found.metadata.format == "onnx"


def test_a_version_of_somebody_else_is_spared(model, tmp_path):
    path = tmp_path / "birds"
    exported_again(model, path)
    (path / "2").mkdir()
    (path / "2" / "model.onnx").write_text("precious")
    (path / "1" / "warmup").write_text("mine")
    for version, message in ((2, "no export wrote"), (1, "others.*warmup")):
        assert_spared(
            tmp_path,
            message,
            lambda version=version: exported_again(
                model, path, version=version, overwrite=True
            ),
        )
    assert exported_again(model, path)["version"] == 3


def test_a_configuration_that_was_tuned_is_kept_where_it_fits(model, tmp_path):
    path = tmp_path / "birds"
    assert exported_again(model, path)["kept"] == []
    config = path / "config.pbtxt"
    tuned = config.read_text() + 'instance_group [ { kind: KIND_CPU } ] # "}\\n'
    config.write_text(tuned)
    assert exported_again(model, path)["kept"] == ["config.pbtxt"]
    assert config.read_text() == tuned
    assert_spared(
        tmp_path,
        "config.pbtxt is kept .*has no output 'class_id'.*move it away",
        lambda: keras_csg.export(
            model, path, layout="triton", outputs=["probabilities"]
        ),
    )


def test_tensorflow_serving_gets_a_version_too(model, tmp_path):
    path = tmp_path / "birds"
    for expected in (1, 2):
        report = keras_csg.export(
            model, path, layout="tfserving", outputs=["class_id"]
        )
        assert (report["version"], report["kept"]) == (expected, [])
    names = {"1", "1.proof.json", "2", "2.proof.json"}
    assert set(os.listdir(path)) == names


@pytest.mark.parametrize(
    "given, message",
    [
        ({"version": 1}, "`version` needs `layout`"),
        ({"version": 0, "layout": "triton"}, "whole number from 1.*0"),
        ({"version": 1.5, "layout": "triton"}, "whole number from 1.*1.5"),
        ({"version": 2**63, "layout": "triton"}, "to 2.*63 - 1, as servers"),
    ],
)
def test_a_version_that_cannot_be_is_named(model, tmp_path, given, message):
    with pytest.raises(ValueError, match=message):
        keras_csg.export(model, tmp_path / "birds", **given)
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_a_killed_export_leaves_the_old(model, tmp_path):
    path = tmp_path / "model"
    keras_csg.export(model, path, outputs=["class_id"])
    before = contents(tmp_path)
    code = f"""
import os, keras_csg
from keras_csg.deployment import exporting
from tests.tiny import tiny_classifier
exporting.publish = lambda *args: os._exit(9)
keras_csg.export(tiny_classifier(), {str(path)!r}, overwrite=True)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    now = contents(tmp_path)
    assert {name: now[name] for name in before} == before
    keras_csg.export(model, path, outputs=["class_id"], overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["model", "model.proof.json"]


def in_order(names):
    return tiny_classifier(class_names=list(names))


def labels_in(path):
    return (path / "labels.txt").read_text().split()


def test_labels_of_a_layout_are_those_of_the_newest_model(tmp_path):
    path = tmp_path / "pets"
    for names in ("abcd", "dcab", "bcda"):
        keras_csg.export(in_order(names), path, layout="triton")
        assert labels_in(path) == list(names)
    keras_csg.export(
        in_order("wxyz"), path, layout="triton", version=3, overwrite=True
    )
    assert labels_in(path) == ["w", "x", "y", "z"]


def test_labels_that_a_person_wrote_stay_with_their_classes(tmp_path):
    path = tmp_path / "pets"
    keras_csg.export(in_order("abcd"), path, layout="triton")
    (path / "labels.txt").write_text("Aal\nBiber\nCondor\nDachs\n")
    report = keras_csg.export(in_order("abcd"), path, layout="triton")
    assert report["kept"] == ["labels.txt"]
    assert labels_in(path) == ["Aal", "Biber", "Condor", "Dachs"]
    assert_spared(
        path,
        "labels.txt is kept as it is, and is of another model's classes",
        lambda: keras_csg.export(in_order("dcab"), path, layout="triton"),
    )
