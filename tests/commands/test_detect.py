"""Fitting a detector into a run, and asking it."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg import InputError, load_data
from keras_csg.robustness import AnomalyDetector
from keras_csg.training import Run
from tests.tiny_run import make_tiny_run

QUICK = {"false_alarm_rate": 0.1, "limit": 60, "log": None}
HELD_OUT = {"hold_out_classes": ["3", "7"]}


@pytest.fixture(scope="module")
def known_digits():
    return load_data("digits", image_size=8, **HELD_OUT)


@pytest.fixture(scope="module")
def fitted(known_digits, tmp_path_factory):
    """A run with a detector that was tested on much, and its figures."""
    path = tmp_path_factory.mktemp("runs") / "run"
    make_tiny_run(path, known_digits, epochs=2, options=HELD_OUT)
    unknown = ["noise", "patches", "held-out"]
    figures = keras_csg.fit_detector(
        path, unknown=unknown, attacks="fgsm", **QUICK
    )
    return path, figures


@pytest.fixture
def run(fitted, tmp_path):
    """A copy to write to."""
    return shutil.copytree(fitted[0], tmp_path / "run")


@pytest.fixture
def pictures(tmp_path, known_digits):
    """Three digits, noise, and a file that is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    images, _ = known_digits.test.images_and_labels(3)
    noise = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), "uint8")
    for number, image in enumerate([*images, *noise]):
        Image.fromarray(image).save(folder / f"{number}.png")
    (folder / "4.png").write_bytes(b"no picture")
    return folder


def test_figures_are_kept_with_the_run(fitted):
    path, figures = fitted
    assert json.loads((path / "detection.json").read_text()) == figures
    assert figures["gated"]
    assert figures["score"] == "surprise"
    assert list(figures["kinds"]) == ["noise", "patches", "held-out", "fgsm"]
    assert figures["images"]["tested_on"] == 60
    for found in figures["kinds"].values():
        assert 0 <= found["roc_auc"] <= 1
        assert not found["learned_from"]
    assert figures["kinds"]["noise"]["roc_auc"] > 0.9


def test_the_detector_is_that_of_the_training_and_validation_images(
    fitted, known_digits
):
    path, figures = fitted
    model = Run(path).load_model()
    again = AnomalyDetector(false_alarm_rate=0.1).fit(
        model,
        known_digits.train.batches(64),
        calibration=known_digits.validation.batches(64),
    )
    stored = AnomalyDetector.load(path / "detector", model)
    assert stored.threshold_ == pytest.approx(again.threshold_, rel=1e-3)
    assert figures["threshold"] == stored.threshold_


def test_images_are_scored_past_broken_ones(fitted, pictures):
    count, found = keras_csg.score_images(fitted[0], pictures)
    *digits, noise, broken = found
    assert count == 5
    model = Run(fitted[0]).load_model()
    detector = AnomalyDetector.load(fitted[0] / "detector", model)
    for number, entry in enumerate(digits):
        image = np.asarray(Image.open(pictures / f"{number}.png"))[None]
        share = detector.anomaly_scores(image)[0]
        assert entry["anomaly_score"] == pytest.approx(share, abs=1e-5)
        assert entry["known"] == (detector.predict(image)[0] == 1)
        odds = np.exp(model.predict(image, verbose=0)[0])
        best = odds.argmax()
        assert entry["class_name"] == model.class_names[best]
        assert entry["probability"] == pytest.approx(
            odds[best] / odds.sum(), rel=1e-3
        )
    assert not noise["known"]
    assert set(broken) == {"image", "error"}
    assert "4.png" in broken["error"]


def test_a_score_that_needs_it_learns_from_the_kinds(run):
    figures = keras_csg.fit_detector(
        run, score="forest", unknown="noise,textures".split(","), **QUICK
    )
    assert figures["kinds"]["textures"]["learned_from"]
    assert figures["kinds"]["noise"]["roc_auc"] > 0.9
    stored = json.loads((run / "detector" / "detector.json").read_text())
    assert stored["score"] == "forest"


def test_folders_of_images_are_unknown_ones(run, pictures):
    said = []
    figures = keras_csg.fit_detector(
        run, unknown=str(pictures), **{**QUICK, "log": said.append}
    )
    assert figures["kinds"][str(pictures)]["images"] == 2  # Every second.
    assert any("1 images in" in line and "broken" in line for line in said)


def test_a_run_without_a_gate_is_said_to_be_the_baseline(
    known_digits, tmp_path
):
    make_tiny_run(tmp_path / "run", known_digits, options=HELD_OUT, gated=False)
    said = []
    figures = keras_csg.fit_detector(
        tmp_path / "run", **{**QUICK, "log": said.append}
    )
    assert not figures["gated"]
    assert any("this is the baseline" in line for line in said)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"score": "surprize"}, "did you mean 'surprise'"),
        ({"false_alarm_rate": 0.001}, "takes 1,000 clean images or more"),
        ({"false_alarm_rate": 2}, "above 0 and at most 0.5"),
        ({"unknown": "nois"}, "did you mean 'noise'"),
        ({"unknown": 3}, "`unknown` must be a list"),
        ({"attacks": "pdg"}, "did you mean 'pgd'"),
        ({"epsilon": 8}, "8/255"),
        ({"score": "forest"}, "learns from strange images"),
        ({"limit": 0}, "`limit` must be a whole number"),
        ({"batch_size": 0}, "`batch_size` must be a whole number"),
        ({"seed": "a"}, "`seed` must be a whole number"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_written(
    run, arguments, message
):
    before = (run / "detector" / "detector.json").read_bytes()
    with pytest.raises(InputError, match=message):
        keras_csg.fit_detector(run, **{**QUICK, **arguments})
    assert (run / "detector" / "detector.json").read_bytes() == before


def test_an_attack_that_knows_the_detector_is_answered_by_it(run):
    figures = keras_csg.attack(
        run, epsilon="16/255", detector=run / "detector", limit=20, log=None
    )
    assert 0 <= figures["robust_accuracy"] <= 1
    arguments = {**QUICK, "score": "forest", "unknown": "noise"}
    keras_csg.fit_detector(run, **arguments)
    with pytest.raises(InputError, match="no plain arithmetic"):
        keras_csg.attack(run, detector=run / "detector", limit=20, log=None)


def test_a_damaged_detector_is_named(run, pictures):
    (run / "detector" / "detector.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="detector.npz is damaged"):
        keras_csg.score_images(run, pictures)


def test_held_out_classes_need_a_run_without_some(known_digits, tmp_path):
    data = load_data("digits", image_size=8)
    make_tiny_run(tmp_path / "run", data)
    with pytest.raises(InputError, match="Train one with --hold-out-classes"):
        keras_csg.fit_detector(tmp_path / "run", unknown="held-out", **QUICK)
    assert not (tmp_path / "run" / "detector").exists()


def test_a_run_without_a_detector_says_how_to_fit_one(run, pictures):
    shutil.rmtree(run / "detector")
    with pytest.raises(InputError, match="keras-csg detect fit"):
        keras_csg.score_images(run, pictures)


def test_files_that_are_not_there_are_named_first(fitted):
    with pytest.raises(InputError, match="There is no image file ghost"):
        keras_csg.score_images(fitted[0], "ghost.png")
