"""What an exported file says of itself is refused by file and field."""

import json
import shutil

import pytest

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.lying import write_lie
from tests.deployment.trained import trained_classifier, write_as

DESCRIPTION = "assets.extra/keras_csg.json"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return write_as(
        get_format("saved_model"), trained_classifier(), folder / "model"
    )


def told(path, tmp_path, field, value):
    """Returns a copy of a model that says something else of itself."""
    copy = tmp_path / "copy"
    shutil.copytree(path, copy)
    values = json.loads((copy / DESCRIPTION).read_text())
    del values["digest"]
    values[field] = value
    (copy / DESCRIPTION).write_text(json.dumps(values))
    return copy


def test_damage_is_said_of_a_file(path, tmp_path):
    copy = told(path, tmp_path, "gate_matrix", 5)
    with pytest.raises(ValueError) as raised:
        keras_csg.open_exported(copy)
    assert str(raised.value).startswith(
        f"The metadata of {copy / 'assets.extra/keras_csg.json'} are damaged: "
        "`gate_matrix` must be"
    )


@pytest.mark.parametrize(
    "name, file", [("onnx", "a.onnx"), ("litert", "a.tflite")]
)
def test_a_file_says_that_it_is_of_another_format(
    name, file, tmp_path, monkeypatch
):
    path = write_lie(
        monkeypatch,
        name,
        tmp_path / file,
        lambda metadata: {"format": "saved_model"},
    )
    with pytest.raises(ValueError) as raised:
        keras_csg.read_metadata(path)
    assert str(raised.value) == (
        f"The metadata of {path} are damaged: `format` must be one of {name}. "
        "Received: 'saved_model'"
    )


def test_a_folder_says_that_it_is_of_another_format(path, tmp_path):
    copy = told(path, tmp_path, "format", "onnx")
    with pytest.raises(ValueError, match="`format` must be one of saved_model"):
        keras_csg.open_exported(copy)
