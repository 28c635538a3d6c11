import json
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import keras_csg
from keras_csg.deployment.formats.onnx import OnnxFormat
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    some_images,
    trained_classifier,
    unsealed,
)
from tests.tiny import tiny_backbone


@pytest.fixture(scope="module")
def model():
    return trained_classifier()


def left_in(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize(
    "name, format", [("model.onnx", "onnx"), ("model", "saved_model")]
)
def test_a_file_gets_its_name_with_its_proof_beside_it(
    model, tmp_path, name, format
):
    images = some_images(9)
    labels = answers_by_hand(model, images)["class_id"].copy()
    labels[0] = (labels[0] + 1) % 4
    path = tmp_path / "new" / "folder" / name
    report = keras_csg.export(model, path, images=images, labels=labels)
    endings = ("", ".json", ".labels.json", ".proof.json")
    if format == "saved_model":  # It has the others inside.
        endings = ("", ".proof.json")
    assert left_in(path.parent) == [f"{name}{ending}" for ending in endings]
    proof = json.loads((path.parent / f"{name}.proof.json").read_text())
    assert proof == report
    assert report["path"] == str(path)
    assert report["format"] == format
    assert report["proof_images"] == "given"
    assert report["images"] == 9
    assert report["batch_sizes"] == [1, 8]
    assert report["agreement"] == 1
    assert report["accuracy"] == report["keras_accuracy"] == 8 / 9
    assert max(report["gaps"].values()) < 1e-5
    opened = keras_csg.open_exported(path)
    assert opened.runtime == report["runtime"]
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))


def test_the_size_is_the_files(model, tmp_path):
    report = keras_csg.export(model, tmp_path / "model.onnx")
    assert report["bytes"] == (tmp_path / "model.onnx").stat().st_size
    assert report["proof_images"] == "random"
    assert report["accuracy"] is None


@pytest.mark.slow
def test_bytes_are_proven_on_bytes(model, tmp_path):
    images = some_images() + 0.4  # Rounded to what the file can take.
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path, input_dtype="uint8", images=images)
    opened = keras_csg.open_exported(path)
    assert_same_answers(
        opened.answer(some_images(dtype="uint8")),
        answers_by_hand(model, some_images()),
    )


def tamper(monkeypatch):
    """Lets the writer write another head than the model's."""
    write = OnnxFormat.write

    def write_wrongly(self, answering, metadata, path, **settings):
        write(self, answering, metadata, path, **settings)
        proto = unsealed(onnx.load(path))
        for table in proto.graph.initializer:
            if list(table.dims) == [4, 6]:
                values = numpy_helper.to_array(table) * 1.5
                table.CopyFrom(numpy_helper.from_array(values, table.name))
        onnx.save(proto, path)

    monkeypatch.setattr(OnnxFormat, "write", write_wrongly)


@pytest.mark.parametrize("folder", [".", "new/folder"])
def test_a_file_that_answers_otherwise_leaves_nothing(
    model, tmp_path, monkeypatch, folder
):
    tamper(monkeypatch)
    with pytest.raises(ValueError, match=r"is off by .*`tolerance`"):
        keras_csg.export(model, tmp_path / folder / "model.onnx")
    assert left_in(tmp_path) == []


def test_a_failed_export_keeps_what_was_there(model, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path)
    before = {n: (tmp_path / n).read_bytes() for n in left_in(tmp_path)}
    tamper(monkeypatch)
    with pytest.raises(ValueError, match="is off by"):
        keras_csg.export(model, path, overwrite=True)
    assert before == {n: (tmp_path / n).read_bytes() for n in left_in(tmp_path)}


def test_a_file_that_cannot_get_its_name_keeps_what_was_there(
    model, tmp_path, monkeypatch
):
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path)
    before = {n: (tmp_path / n).read_bytes() for n in left_in(tmp_path)}

    replace = pathlib.Path.replace

    def fail(part, path):
        if path.name.endswith(".proof.json") and ".part" in str(part):
            raise OSError(28, "No space left on device")
        return replace(part, path)

    monkeypatch.setattr(pathlib.Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        keras_csg.export(model, path, overwrite=True)
    assert before == {n: (tmp_path / n).read_bytes() for n in left_in(tmp_path)}


def test_a_folder_that_cannot_be_written_is_named(model, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="Cannot write to .*file"):
        keras_csg.export(model, tmp_path / "file" / "model.onnx")
    monkeypatch.setattr(os, "access", lambda *args: False)
    with pytest.raises(ValueError, match="Cannot write to"):
        keras_csg.export(model, tmp_path / "new" / "model.onnx")
    assert left_in(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "path, layout, message",
    [
        ("/", None, "a folder of its own. Received: path=/$"),
        ("/proc/model.onnx", None, "/proc/model.onnx: nothing can be made"),
        ("/proc/new/birds", "triton", "/proc/new: nothing can be made there"),
    ],
)
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc")
def test_where_nothing_can_be_made_is_named(model, path, layout, message):
    with pytest.raises(ValueError, match=message):
        keras_csg.export(model, path, layout=layout)


@pytest.mark.parametrize(
    "name, kwargs, message",
    [
        ("model.keras", {}, "must end in .onnx or .tflite"),
        ("model.onnx", {"format": "torch"}, "`format` must be one of"),
        ("model.tflite", {"format": "onnx"}, "must end in .onnx"),
        ("model.onnx", {"format": "saved_model"}, "must have no suffix"),
        ("saved", {"quantize": "int8"}, "litert"),
        ("model.onnx", {"outputs": ["logits"]}, "`outputs` must be out of"),
        ("model.onnx", {"labels": [1]}, "give both"),
        (
            "model.onnx",
            {"images": some_images(), "labels": [1]},
            "`labels` must be 5 integers",
        ),
        ("model.onnx", {"images": some_images(size=9)}, "must have shape"),
        ("model.onnx", {"images": some_images()[0]}, "must have shape"),
    ],
)
def test_mistakes_are_named_before_anything_is_written(
    model, tmp_path, name, kwargs, message
):
    with pytest.raises(ValueError, match=message):
        keras_csg.export(model, tmp_path / "new" / name, **kwargs)
    assert left_in(tmp_path) == []


def test_another_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be a `CSGClassifier`"):
        keras_csg.export(tiny_backbone(), tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["none.onnx", "none"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(ValueError, match="There is no exported model .*none"):
        keras_csg.read_metadata(tmp_path / name)


def test_a_file_of_another_format_is_named(tmp_path):
    (tmp_path / "model.h5").touch()
    with pytest.raises(ValueError, match=r"must end in .*model\.h5"):
        keras_csg.open_exported(tmp_path / "model.h5")


def test_an_export_prints_nothing(model, tmp_path, capfd):
    keras_csg.export(model, tmp_path / "model.onnx")
    keras_csg.export(model, tmp_path / "model")
    assert capfd.readouterr() == ("", "")


def test_importing_the_package_loads_no_exporter():
    code = (
        "import sys, keras_csg; print([name for name in ('onnx', 'tf2onnx', "
        "'onnxruntime', 'ai_edge_litert') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "asked", [{"min_agreement": 1.1}, {"max_accuracy_loss": -0.1}]
)
def test_a_quantised_file_is_held_to_what_was_asked(model, tmp_path, asked):
    """To what no file could do, so that a right one fails."""
    path, images = tmp_path / "model.tflite", some_images(9)
    labels = answers_by_hand(model, images)["class_id"]
    given = {"quantize": "float16", "images": images, "labels": labels}
    (name,) = asked
    with pytest.raises(ValueError, match=f"`{name}`"):
        keras_csg.export(model, path, **given, **asked)
    assert left_in(tmp_path) == []
    keras_csg.export(model, path, **given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_agreement", "x"),
        ("min_agreement", float("nan")),
        ("tolerance", float("nan")),
        ("tolerance", -1),
        ("max_accuracy_loss", 2),
    ],
)
def test_what_a_proof_asks_for_is_a_number(name, value, model, tmp_path):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        keras_csg.export(model, tmp_path / "a.onnx", **{name: value})
    assert not list(tmp_path.iterdir())


def test_calibration_of_another_shape_is_called_that(model, tmp_path):
    wrong = np.random.default_rng(0).uniform(0, 255, (4, 9, 9, 3))
    with pytest.raises(ValueError, match="`calibration` must have shape"):
        keras_csg.export(
            model, tmp_path / "a.onnx", quantize="int8", calibration=wrong
        )


def test_maps_times_a_number_are_not_taken_for_sparse_ones(tmp_path):
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(6, 3)(images) * 0.5
    model = trained_classifier(keras.Model(images, maps))
    path = tmp_path / "model.onnx"
    keras_csg.export(model, path)
    some = some_images()
    found = keras_csg.open_exported(path).answer(some)
    assert_same_answers(found, answers_by_hand(model, some))
