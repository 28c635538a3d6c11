"""Runs and exported files that version 0.1.0 wrote still answer the same.

`0.1.0/` holds a finished run on digits with its three exported files, a run
that was stopped after two epochs, and what 0.1.0 answered of 24 validation
images (`answers.npz`).
"""

import pathlib
import shutil

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run, Trainer, open_run

FILES = pathlib.Path(__file__).parent / "0.1.0"
# Convolutions add up in another order on another processor.
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def answers():
    with np.load(FILES / "answers.npz") as saved:
        return dict(saved)


def assert_same(given, expected):
    given = keras.ops.convert_to_numpy(given)
    np.testing.assert_allclose(given, expected, rtol=1e-5, atol=TOLERANCE)


def test_a_model_answers_as_it_did(answers):
    model = keras.saving.load_model(FILES / "run" / "model.keras")
    images, labels = answers["images"], answers["labels"]
    assert_same(model.predict(images, verbose=0), answers["logits"])
    few = images[:5].astype("float32")
    assert_same(model(few), answers["call"])
    assert_same(model(few, labels=labels[:5]), answers["gated"])
    features = model.features(images.astype("float32"))
    assert_same(features, answers["features"])
    logits = model.class_specific_logits(features)
    assert_same(logits, answers["class_specific"])


def test_a_model_evaluates_as_it_did(answers):
    model = keras.saving.load_model(FILES / "run" / "model.keras")
    found = model.evaluate(
        answers["images"], answers["labels"], verbose=0, return_dict=True
    )
    # Its loss was the sum of all there is, which has a name of its own now.
    names = {"loss": "standard_loss", "total_loss": "loss"}
    known = set(found) - {"class_specific_loss", "sparsity_penalty"}
    for name in known:
        assert_same(found[name], answers[f"evaluate/{names.get(name, name)}"])
    assert len(known) == 6


@pytest.mark.parametrize("name", ["saved_model", "model.onnx", "model.tflite"])
def test_an_exported_file_answers_as_it_did(answers, name):
    opened = keras_csg.open_exported(FILES / "run" / "export" / name)
    given = opened.answer(answers["images"].astype("float32"))
    for output, values in given.items():
        assert_same(values, answers[f"{name}/{output}"])


def test_a_run_is_opened_with_its_options():
    run = open_run(FILES / "run")
    assert run.options.gate_at == "stage2_block1_out"
    assert run.options.epochs == 8
    assert len(run.history.rows) == 8
    assert run.read_metrics()["examples"] == 360


def test_a_stopped_run_goes_on_from_its_backup(tmp_path):
    path = shutil.copytree(FILES / "stopped", tmp_path / "stopped")
    trainer = Trainer(Run(path).options, path, resume=True)
    assert trainer.first_epoch == 2
    saved = np.load(path / "backup" / "epoch-0002.npz")
    order = [v for v in (trainer.model, trainer.model.optimizer)]
    for owner, having in zip(("model", "optimizer"), order, strict=True):
        for place, variable in enumerate(having.variables):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(variable),
                saved[f"{owner} {place:05d}"],
            )
    variables = trainer.model.trainable_variables
    # By name, too: places alone would not notice two layers that changed.
    assert ["/".join(v.path.split("/")[-2:]) for v in variables[-3:]] == [
        "head/kernel",
        "head/bias",
        "gate/gate_matrix",
    ]
    trainer.run.unlock()
