"""Runs and exported files that version 0.2.0 wrote still answer the same.

`make_files.py` wrote `0.2.0/` in an environment with that release: a finished
run on digits with its detector, its exported files and one that answers for
the detector and is calibrated; a run that was stopped after two epochs; and
what all of them said of 24 validation images (`answers.npz`).
"""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.robustness import AnomalyDetector
from keras_csg.training import Run, Trainer, open_run

FILES = pathlib.Path(__file__).parent / "0.2.0"
# Convolutions add up in another order on another processor.
TOLERANCE = 2e-5
PLACES = {
    "saved_model": "run/export/saved_model",
    "model.onnx": "run/export/model.onnx",
    "model.tflite": "run/export/model.tflite",
    "known": "run/with_detector/model.onnx",
}


@pytest.fixture(scope="module")
def answers():
    with np.load(FILES / "answers.npz") as saved:
        return dict(saved)


@pytest.fixture(scope="module")
def model():
    return keras.saving.load_model(FILES / "run" / "model.keras")


def assert_same(given, expected, tolerance=TOLERANCE):
    given = keras.ops.convert_to_numpy(given)
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=tolerance)


def test_a_model_answers_as_it_did(model, answers):
    images, labels = answers["images"], answers["labels"]
    assert_same(model.predict(images, verbose=0), answers["logits"])
    plain = images.astype("float32")
    assert_same(model(plain, labels=labels), answers["gated"])
    features = model.features(plain)
    assert_same(features, answers["features"])
    logits = model.class_specific_logits(features)
    assert_same(logits, answers["class_specific"])


def test_a_model_evaluates_as_it_did(model, answers):
    found = model.evaluate(
        answers["images"], answers["labels"], verbose=0, return_dict=True
    )
    kept = {n.split("/")[1] for n in answers if n.startswith("evaluate/")}
    assert set(found) == kept
    for name, value in found.items():
        assert_same(value, answers[f"evaluate/{name}"])


@pytest.mark.parametrize("name", PLACES)
def test_an_exported_file_answers_as_it_did(answers, name):
    opened = keras_csg.open_exported(FILES / PLACES[name])
    given = opened.answer(answers["images"].astype("float32"))
    kept = {n.split("/")[1] for n in answers if n.startswith(f"{name}/")}
    assert set(given) == kept
    for output, values in given.items():
        # A detector's distances are of tens.
        wide = 1e-3 if output == "anomaly_score" else TOLERANCE
        assert_same(values, answers[f"{name}/{output}"], wide)


def test_a_detector_tells_as_it_did(model, answers):
    detector = AnomalyDetector.load(FILES / "run" / "detector", model)
    scores = detector.anomaly_scores(answers["images"].astype("float32"))
    assert_same(scores, answers["detector/anomaly_score"], 1e-3)


def test_a_run_is_opened_with_its_options_and_is_whole():
    run = open_run(FILES / "run")
    assert run.options.gate_at == "stage2_block1_out"
    assert len(run.history.rows) == 6
    assert run.read_metrics()["examples"] == 360
    run.load_model()  # Which compares its checksum.


def test_the_files_say_which_version_wrote_them():
    config = json.loads((FILES / "run" / "config.json").read_text("utf-8"))
    assert config["versions"]["keras-csg"] == "0.2.0"
    for place in PLACES.values():
        metadata = keras_csg.read_metadata(FILES / place)
        assert metadata.project_version == "0.2.0"


@pytest.mark.slow
def test_a_stopped_run_goes_on_from_its_backup(tmp_path):
    path = shutil.copytree(FILES / "stopped", tmp_path / "stopped")
    trainer = Trainer(Run(path).options, path, resume=True)
    assert trainer.first_epoch == 2
    saved = np.load(path / "backup" / "epoch-0002.npz")
    owners = {"model": trainer.model, "optimizer": trainer.model.optimizer}
    for owner, having in owners.items():
        for place, variable in enumerate(having.variables):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(variable),
                saved[f"{owner} {place:05d}"],
            )
    trainer.run.unlock()
