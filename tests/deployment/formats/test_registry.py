"""A format is one class and one registration; the rest follows from it."""

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg import choices
from keras_csg.deployment import (
    ExportedAnswers,
    Format,
    Metadata,
    find_model,
    list_formats,
    register_format,
)
from keras_csg.deployment.formats import registry
from keras_csg.deployment.layouts import arrange, formats_of_layout
from keras_csg.deployment.metadata import METADATA_FILE
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    some_images,
    trained_classifier,
)


class KerasFile(Format):
    """The answering model in Keras's own format, its metadata in the zip."""

    name = "keras_file"
    suffix = ".keras"
    in_layouts = {"triton": "model.keras"}
    triton_platform = "keras"

    def write(self, answering, metadata, path):
        answering.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(METADATA_FILE, metadata.to_json())

    def open(self, path):
        return KerasAnswers(self, path)

    def read_metadata(self, path):
        with zipfile.ZipFile(path) as archive:
            return Metadata.from_json(archive.read(METADATA_FILE).decode())


class KerasAnswers(ExportedAnswers):
    def __init__(self, format, path):
        self.metadata = format.read_metadata(path)
        self.runtime = f"keras {keras.__version__}"
        self._model = keras.saving.load_model(path)

    def _run(self, images):
        return self._model.predict_on_batch(images)


@pytest.fixture
def registered(monkeypatch):
    """Lets a test register formats that no other test sees."""
    monkeypatch.setattr(registry, "_FORMATS", dict(registry._FORMATS))
    register_format(KerasFile)


@pytest.mark.slow
def test_a_format_of_ones_own_is_exported_proven_opened_and_read(
    registered, tmp_path
):
    model = trained_classifier(class_names=["a", "b", "c", "d"])
    path, images = tmp_path / "model.keras", some_images()
    report = keras_csg.export(model, path, images=images)
    assert report["format"] == "keras_file"
    assert report["runtime"] == f"keras {keras.__version__}"
    assert max(report["gaps"].values()) < 1e-5
    proof = json.loads((tmp_path / "model.keras.proof.json").read_text())
    assert proof == report
    assert keras_csg.read_metadata(path).class_names == ["a", "b", "c", "d"]
    opened = keras_csg.open_exported(path)
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))


def test_a_format_of_ones_own_that_answers_otherwise_gets_no_name(
    registered, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        KerasAnswers,
        "_run",
        lambda self, images: {
            name: np.zeros_like(values)
            for name, values in self._model.predict_on_batch(images).items()
        },
    )
    with pytest.raises(ValueError, match="is off by"):
        keras_csg.export(trained_classifier(), tmp_path / "model.keras")
    assert not (tmp_path / "model.keras").exists()


def test_a_format_of_ones_own_is_known_wherever_formats_are(
    registered, tmp_path
):
    assert list_formats() == [*choices.FORMATS, "keras_file"]
    assert formats_of_layout("triton") == ["onnx", "saved_model", "keras_file"]
    with pytest.raises(ValueError, match=r"\.tflite or .* \.keras"):
        keras_csg.export(trained_classifier(), tmp_path / "model.h5")
    taken = "is for the format onnx or litert or openvino"
    with pytest.raises(ValueError, match=f"`quantize='int8'` {taken}"):
        keras_csg.export(
            trained_classifier(), tmp_path / "m.keras", quantize="int8"
        )
    with pytest.raises(ValueError, match="`calibration` is for int8"):
        keras_csg.export(
            trained_classifier(),
            tmp_path / "m.keras",
            calibration=some_images(),
        )
    metadata = Metadata("keras_file", "tiny", ["a"], {}, {})
    metadata.input.update(name="images", dtype="float32", shape=(None, 8, 8, 3))
    place = arrange("triton", "keras_file", tmp_path, metadata)
    assert place == tmp_path / "1" / "model.keras"
    assert 'platform: "keras"' in (tmp_path / "config.pbtxt").read_text()
    assert find_model(tmp_path) is None
    place.touch()
    assert find_model(tmp_path) == place


def test_a_taken_name_or_suffix_is_refused(registered):
    with pytest.raises(ValueError, match="taken by KerasFile.*name=keras_file"):
        register_format(KerasFile)

    class Other(KerasFile):
        name = "other"

    with pytest.raises(ValueError, match="taken by the format keras_file"):
        register_format(Other)
    assert "other" not in list_formats()

    class Folder(KerasFile):
        name = "folder"
        suffix = ""

    register_format(Folder)  # Folders go without one, and by their names.
    assert registry.find_format_of_suffix(Path("model")).name == "saved_model"


def test_the_choices_are_what_there_is():
    assert tuple(list_formats()) == choices.FORMATS
    assert choices.QUANTIZATIONS_OF == {
        name: registry.get_format(name).quantizations
        for name in list_formats()
        if registry.get_format(name).quantizations
    }
    for layout, formats in choices.LAYOUTS.items():
        holding = {
            name
            for name in list_formats()
            if layout in registry.get_format(name).in_layouts
        }
        assert holding == set(formats)
        assert formats_of_layout(layout) == list(formats)
    known = {
        layout
        for name in list_formats()
        for layout in registry.get_format(name).in_layouts
    }
    assert known == set(choices.LAYOUTS)


def test_every_choice_of_pixels_and_of_numbers_can_be_exported(tmp_path):
    model = trained_classifier()
    for dtype in choices.INPUT_DTYPES:
        path = tmp_path / f"{dtype}.onnx"
        keras_csg.export(model, path, input_dtype=dtype)
        assert keras_csg.read_metadata(path).input["dtype"] == dtype
    for quantize in choices.QUANTIZATIONS:
        path = tmp_path / f"{quantize}.tflite"
        keras_csg.export(
            model,
            path,
            quantize=quantize,
            calibration=some_images(20),
            min_agreement=0,
        )
        assert keras_csg.read_metadata(path).quantization == quantize
