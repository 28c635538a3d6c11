"""Odd image files: a classifier and its exported files say the same of all."""

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from tests.data.odd_files import UNREADABLE, write_odd_files
from tests.deployment.trained import trained_classifier, write_as

FORMATS = {"onnx": "a.onnx", "litert": "a.tflite", "saved_model": "a"}
READING = {"resize": "pad", "background": "#306090"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_odd_files(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    keras.utils.set_random_seed(5)
    model = trained_classifier(image_reading=READING)
    model.save(folder / "model.keras")
    return {"keras": folder / "model.keras"} | {
        name: write_as(get_format(name), model, folder / file)
        for name, file in FORMATS.items()
    }


@pytest.fixture(scope="module")
def predictions(sources, files):
    """A dict of dicts: by source and file."""
    paths = list(map(str, files))
    found = {}
    for name, source in sources.items():
        count, each = keras_csg.predict_images(source, paths)
        found[name] = {entry["image"]: entry for entry in each}
        assert count == len(paths) == len(found[name])
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_all_say_the_same_of_odd_files(name, predictions):
    classes = set()
    for path, expected in predictions["keras"].items():
        given = predictions[name][path]
        assert given.get("error") == expected.get("error")
        if "error" in expected:
            continue
        (best, *others), known = given["classes"], expected["classes"]
        assert best["class_name"] == known[0]["class_name"], path
        by_name = {entry["class_name"]: entry for entry in known}
        for entry in (best, *others):
            if entry["class_name"] in by_name:
                probability = by_name[entry["class_name"]]["probability"]
                assert abs(entry["probability"] - probability) <= 1e-4, path
        classes.add(best["class_name"])
    assert len(classes) > 1  # The files do not all look the same.


def test_only_what_is_no_image_is_refused(predictions, files):
    found = predictions["keras"]
    refused = {path.name for path in files if "error" in found[str(path)]}
    assert refused == UNREADABLE
    assert len(files) - len(refused) >= 30
    for path in files:
        error = found[str(path)].get("error")
        if error is not None:
            assert error.startswith(f"Cannot read the image {path}: ")
            assert "\n" not in error


def test_an_exported_file_reads_them_as_predict_does(sources, files):
    exported = keras_csg.open_exported(sources["onnx"])
    whole = [path for path in files if path.name not in UNREADABLE]
    batch = exported.read(whole)
    assert batch.shape == (len(whole), 8, 8, 3) and batch.dtype == "float32"
    answers = exported.answer(batch)["probabilities"].max(axis=1)
    found = keras_csg.predict(exported, whole, top=1)
    probabilities = [entry["classes"][0]["probability"] for entry in found]
    np.testing.assert_allclose(answers, probabilities, atol=1e-5)
