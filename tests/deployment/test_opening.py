"""Exported models are found where servers have them."""

import pathlib
import shutil
import subprocess
import sys

import pytest
from PIL import Image

import keras_csg
from keras_csg.deployment import find_model
from tests.deployment.trained import some_images, trained_classifier


def touched(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize(
    "place, model",
    [
        ("model.onnx", "model.onnx"),
        ("model.savedmodel/saved_model.pb", "model.savedmodel"),
        ("saved_model.pb", "."),
    ],
)
def test_the_newest_version_counts(place, model, tmp_path):
    for version in ("9", "10", "notes"):
        touched(tmp_path / version / place)
    (tmp_path / "11").mkdir()
    assert find_model(tmp_path) == tmp_path / "10" / model


def test_a_model_is_found_at_its_own_path(tmp_path):
    file = touched(tmp_path / "a.onnx")
    folder = touched(tmp_path / "b" / "saved_model.pb").parent
    assert (find_model(file), find_model(folder)) == (file, folder)
    assert find_model(tmp_path) is None
    assert find_model(tmp_path / "none") is None


@pytest.mark.parametrize("layout", ["triton", "tfserving"])
def test_a_servers_folder_is_opened_and_read(layout, tmp_path):
    path = tmp_path / "birds"
    keras_csg.export(trained_classifier(), path, layout=layout)
    assert keras_csg.read_metadata(path).backbone == "tiny"
    answers = keras_csg.open_exported(path).answer(some_images(2))
    assert answers["probabilities"].shape == (2, 4)


def test_a_version_itself_is_a_model(tmp_path):
    triton = touched(tmp_path / "birds" / "3" / "model.onnx")
    serving = touched(tmp_path / "fish" / "12" / "saved_model.pb").parent
    assert find_model(triton.parent) == triton
    assert find_model(serving) == serving


def test_home_is_where_the_user_is(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "birds" / "1"
    path.mkdir(parents=True)
    shutil.copy(EXPORTED / "model.onnx", path)
    image = tmp_path / "a.png"
    Image.new("RGB", (32, 32)).save(image)
    for name in ("~/birds", "~/birds/1", "~/birds/1/model.onnx"):
        assert keras_csg.read_metadata(name).backbone == "resnet20"
        assert keras_csg.open_exported(name).metadata.backbone == "resnet20"
        (found,) = keras_csg.predict(name, "~/a.png")
        assert found["image"] == str(image)


OPENED = (keras_csg.open_exported, keras_csg.read_metadata)
EXPORTED = (
    pathlib.Path(__file__).parent.parent / "compatibility/0.1.0/run/export"
)


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize(
    "path, message",
    [
        (EXPORTED.parent, "is a run, not an exported model.*export/model.onnx"),
        (EXPORTED.parent / "model.keras", "is a Keras model.*`keras_csg.pred"),
        (EXPORTED, r"is no exported model: .*There is .*model\.tflite"),
        (EXPORTED.parent / "none.onnx", "There is no exported model"),
        (5, "`path` must be a path. Received: path=5"),
    ],
)
def test_what_is_there_instead_is_named(opened, path, message):
    with pytest.raises(ValueError, match=message) as raised:
        opened(path)
    assert len(str(raised.value).splitlines()) == 1


def test_predicting_of_a_folder_names_the_models_in_it(tmp_path):
    image = tmp_path / "a.png"
    Image.new("RGB", (32, 32)).save(image)
    with pytest.raises(keras_csg.InputError) as raised:
        keras_csg.predict(EXPORTED, image)
    assert str(EXPORTED / "model.onnx") in str(raised.value)
    with pytest.raises(keras_csg.InputError, match=r"version of a model\.$"):
        keras_csg.predict(tmp_path, image)


def test_metadata_are_read_without_tensorflow_or_a_runtime():
    files = pathlib.Path(__file__).parent.parent / "compatibility" / "0.1.0"
    code = (
        "import sys, keras_csg.deployment as deployment;"
        f"path = {str(files / 'run' / 'export' / 'model.tflite')!r};"
        "print(deployment.read_metadata(path).backbone);"
        "heavy = {'tensorflow', 'keras', 'onnx', 'ai_edge_litert', 'scipy'};"
        "print(heavy & set(sys.modules) or 'light')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["resnet20", "light"]


@pytest.mark.parametrize("ending", [".json", ".labels.json", ".proof.json"])
def test_what_lies_beside_a_model_points_to_it(tmp_path, ending):
    model = tmp_path / "birds.v2.onnx"
    model.touch()
    (tmp_path / f"birds.v2.onnx{ending}").write_text("{}")
    with pytest.raises(ValueError) as raised:
        keras_csg.open_exported(tmp_path / f"birds.v2.onnx{ending}")
    assert str(raised.value).endswith(f"belongs to one: give {model}.")


@pytest.mark.parametrize("name", ["x.jpg", "alone.json", ".json"])
def test_all_that_is_opened_is_named(tmp_path, name):
    (tmp_path / name).touch()
    for ask in (keras_csg.open_exported, keras_csg.read_metadata):
        with pytest.raises(ValueError) as raised:
            ask(tmp_path / name)
        for kind in (".onnx", ".tflite", "SavedModel", "OpenVINO", "Triton"):
            assert kind in str(raised.value)
