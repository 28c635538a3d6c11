"""What a notebook calls: the same as the command line, in one call each."""

import json
import shutil

import pytest
from PIL import Image

import keras_csg
from keras_csg.commands import set_up_training
from keras_csg.training import Run
from keras_csg.training.opening import open_run
from tests.tiny import registered_tiny

QUICK = {"epochs": 1, "image_size": 8, "batch_size": 128}


def silent(text):
    """Takes a line of progress."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run directory of one quick epoch on the digits, and what was said."""
    path = tmp_path_factory.mktemp("runs") / "gated"
    lines = []
    with registered_tiny() as tiny:
        figures = keras_csg.train(
            path, backbone=tiny, log=lines.append, **QUICK
        )
    assert figures == Run(path).read_metrics()
    return path, lines


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it that a test may write to."""
    return shutil.copytree(trained[0], tmp_path / "run")


def test_training_says_what_it_does(trained):
    path, lines = trained
    text = "\n".join(lines)
    assert "10 classes" in text and "tiny: " in text
    assert f"Run directory: {path}" in lines
    assert any(line.startswith("epoch 1/1: loss ") for line in lines)


def test_a_finished_run_is_not_trained_again(run):
    lines = []
    figures = keras_csg.train(run, resume=True, log=lines.append)
    assert figures["examples"] == 360
    assert keras_csg.train(Run(run), resume=True, log=None) == figures
    assert lines == [f"{run} is finished: nothing to go on with."]


def test_images_need_not_be_square(tmp_path, tiny_name):
    run = tmp_path / "run"
    trainer = set_up_training(
        run, backbone=tiny_name, image_size="8x12", log=None
    )
    assert trainer.model.input_shape == (None, 8, 12, 3)
    assert Run(run).options.image_size == "8x12"
    trainer.run.unlock()


@pytest.mark.slow
def test_a_run_without_a_name_gets_a_free_directory(
    tmp_path, monkeypatch, tiny_name
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "digits-tiny-gated-1").mkdir(parents=True)
    keras_csg.train(backbone=tiny_name, log=silent, **QUICK)
    assert (tmp_path / "runs/digits-tiny-gated-2/model.keras").exists()


def test_evaluating_gives_what_it_writes(run):
    (run / "ablation.png").unlink()
    lines = []
    figures = keras_csg.evaluate(run, ablate="3", log=lines.append)
    assert figures == json.loads((run / "metrics.json").read_text())
    assert (run / "ablation.png").exists()
    assert f"Drew {run / 'ablation-3.png'}" in lines


@pytest.mark.slow
def test_several_runs_are_put_together(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    whole = keras_csg.evaluate_runs([run, other], log=silent)
    assert list(whole) == ["runs", "mean", "standard_deviation"]
    accuracy = whole["runs"][str(run)]["accuracy"]
    assert whole["mean"]["accuracy"] == pytest.approx(accuracy)
    assert whole["standard_deviation"]["accuracy"] == 0
    beside = keras_csg.evaluate_runs(
        [Run(run), other], against=True, log=silent
    )
    assert beside["difference"]["accuracy"] == 0
    alone = keras_csg.evaluate_runs(run, log=None)
    assert list(alone["runs"]) == [str(run)]


def test_localizing_gives_what_it_writes(run):
    result = keras_csg.localize(run, limit=40, mosaics=2, log=silent)
    written = json.loads((run / "localization.json").read_text())
    assert result.figures == written
    assert (run / "localization.png").exists()
    sanity = keras_csg.sanity_check(run, limit=16, log=silent)
    assert sanity == json.loads((run / "sanity.json").read_text())


def test_an_export_is_proven_on_the_runs_images(run):
    lines = []
    result = keras_csg.export_run(run, min_agreement=0.5, log=lines.append)
    (file,) = result.files
    assert result.failed == {}
    assert file["proof_images"] == "given"
    assert file["path"] == str(run / "export" / "model.onnx")
    assert f"Wrote {run / 'export' / 'model.onnx'}" in lines


def test_an_export_that_fails_says_why(run, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("no such\noperation")

    monkeypatch.setattr("keras_csg.deployment.exporting.prove", fail)
    lines = []
    result = keras_csg.export_run(run, log=lines.append)
    path = run / "export" / "model.onnx"
    assert list(result.failed) == [path] and not result.files
    assert lines[-1] == f"{path} failed: no such operation"


def test_predicting_takes_a_run_a_file_or_a_model(run, tmp_path):
    picture = tmp_path / "picture.png"
    Image.new("RGB", (8, 8), (200, 0, 0)).save(picture)
    keras_csg.export_run(run, log=silent)
    model = open_run(run).load_model()
    named = [
        keras_csg.predict(source, [picture])[0]["classes"][0]["class_name"]
        for source in (run, run / "export" / "model.onnx", model)
    ]
    assert len(set(named)) == 1
    assert keras_csg.predict(run, picture) == keras_csg.predict(run, [picture])


@pytest.mark.parametrize(
    "call, match",
    [
        (lambda run: keras_csg.evaluate(run / "no"), "not a run directory"),
        (lambda run: keras_csg.evaluate(run, ablate="ten"), "no class 'ten'"),
        (lambda run: keras_csg.evaluate_runs([run, run]), "named twice"),
        (
            lambda run: keras_csg.evaluate_runs([run], against=True),
            "Received: 1 runs",
        ),
        (lambda run: keras_csg.localize(run, masks="no"), "masks='no'"),
        (lambda run: keras_csg.localize(run, limit=0), "limit=0"),
        (lambda run: keras_csg.export_run(run, formats=["xml"]), "xml"),
        (lambda run: keras_csg.predict(run, ["no.png"]), "no.png"),
        (lambda run: keras_csg.train(run), "not empty"),
        (lambda run: keras_csg.train(run, resume=True, seed=3), "out `seed`"),
        (lambda run: keras_csg.train(epoch=3), "did you mean 'epochs'"),
    ],
)
def test_what_cannot_be_had_is_one_line(run, call, match):
    with pytest.raises(keras_csg.InputError, match=match) as raised:
        call(run)
    assert len(str(raised.value).splitlines()) == 1
