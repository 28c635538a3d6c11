"""Detectors and temperatures on the command line: export and predict."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.robustness import AnomalyDetector
from keras_csg.training import open_run


@pytest.fixture(scope="module")
def detecting_run(make_tiny_run, tmp_path_factory):
    """A run with a detector."""
    path = tmp_path_factory.mktemp("runs") / "run"
    make_tiny_run(path, epochs=3)
    keras_csg.fit_detector(path, false_alarm_rate=0.1, limit=50, log=None)
    return path


@pytest.fixture(scope="module")
def exported(detecting_run, tmp_path_factory):
    """An ONNX file of it with everything, and what was said meanwhile."""
    out, lines = tmp_path_factory.mktemp("out"), []
    keras_csg.export_run(
        detecting_run, out, detector=True, calibrate=True, log=lines.append
    )
    return out / "model.onnx", lines


@pytest.fixture
def strange(digit, tmp_path):
    """A digit, and noise."""
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "noise.png")
    return digit[0][0], tmp_path / "noise.png"


def test_the_file_has_the_runs_detector_and_its_temperature(
    detecting_run, exported, digits
):
    path, lines = exported
    metadata = keras_csg.read_metadata(path)
    model = open_run(detecting_run).load_model()
    detector = AnomalyDetector.load(detecting_run / "detector", model)
    assert metadata.detector == detector.description()
    assert metadata.detector["images"] == digits.validation.num_examples
    (said,) = [line for line in lines if line.startswith("Temperature")]
    values = metadata.temperature
    assert f"Temperature {values['temperature']:.3f} from " in said
    assert f"{values['images']:,} images not trained on" in said
    assert f"(ECE) {values['ece_before']:.4f} before, " in said
    assert f"{values['ece_after']:.4f} after" in said
    images, _ = digits.test.images_and_labels(40)
    images = images.astype("float32")
    given = keras_csg.open_exported(path).answer(images)
    logits = np.asarray(model(images)) / values["temperature"]
    odds = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(
        given["probabilities"], odds / odds.sum(1, keepdims=True), atol=1e-4
    )


@pytest.mark.parametrize("source", ["run", "file"])
def test_an_unknown_image_is_told_in_words(
    source, detecting_run, exported, strange, run_cli
):
    model = detecting_run if source == "run" else exported[0]
    code, out, err = run_cli("predict", model, *strange)
    assert code == 0, err
    known, unknown = out.split(str(strange[1]))
    assert "  known (score 0." in known
    assert "\n  not one of the known classes (score 1.00); the nearest:\n" in (
        unknown
    )
    assert "%" in unknown  # The nearest class, with its probability.


def test_columns_say_so_too(exported, strange, run_cli, tmp_path):
    code, out, _ = run_cli("predict", exported[0], *strange, "--json")
    entries = json.loads(out)
    assert [entry["known"] for entry in entries] == [True, False]
    code, _, _ = run_cli(
        "predict", exported[0], *strange, "--out", tmp_path / "found.csv"
    )
    with (tmp_path / "found.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["known"] for row in rows] == ["True", "False"]
    for row, entry in zip(rows, entries, strict=True):
        assert float(row["anomaly_score"]) == entry["anomaly_score"]
    run_cli("predict", exported[0], *strange, "--out", tmp_path / "found.jsonl")
    lines = (tmp_path / "found.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == entries


@pytest.mark.slow
def test_the_command_writes_it(detecting_run, tmp_path, run_cli):
    arguments = ("--out", tmp_path / "a", "--with-detector", "--calibrate")
    code, _, err = run_cli("export", detecting_run, *arguments)
    assert code == 0, err
    assert "calibration error (ECE)" in err
    metadata = keras_csg.read_metadata(tmp_path / "a" / "model.onnx")
    assert metadata.detector["score"] == "surprise"
    shutil.copytree(detecting_run / "detector", tmp_path / "elsewhere")
    arguments = ("--out", tmp_path / "b", "--outputs", "class_id,known")
    code, _, err = run_cli(
        *("export", detecting_run, *arguments),
        *("--with-detector", tmp_path / "elsewhere"),
    )
    assert code == 0, err
    metadata = keras_csg.read_metadata(tmp_path / "b" / "model.onnx")
    assert list(metadata.outputs) == ["class_id", "known"]
    assert metadata.temperature is None


def test_without_a_detector_it_says_how_to_fit_one(tiny_run, tmp_path, run_cli):
    out = tmp_path / "out"
    code, shown, err = run_cli(
        "export", tiny_run, "--out", out, "--with-detector"
    )
    assert (code, shown) == (2, "")
    assert err.strip() == (
        f"Error: {tiny_run} has no detector: `keras-csg detect fit {tiny_run}` "
        "fits one."
    )
    code, _, err = run_cli(
        "export", tiny_run, "--out", out, "--with-detector", tmp_path / "no"
    )
    assert code == 2
    assert err.startswith(f"Error: There is no detector {tmp_path / 'no'}: ")
    assert not out.exists()


def test_a_detector_of_another_run_is_refused(
    tiny_run, detecting_run, tmp_path, run_cli
):
    code, shown, err = run_cli(
        *("export", tiny_run, "--out", tmp_path / "out"),
        *("--with-detector", detecting_run / "detector"),
    )
    assert (code, shown) == (2, "")
    assert "was fitted on another network" in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_forest_answers_with_its_run_and_in_no_file(
    make_tiny_run, strange, tmp_path, run_cli
):
    run = make_tiny_run(tmp_path / "run", epochs=2)
    keras_csg.fit_detector(
        run,
        score="forest",
        unknown="noise",
        false_alarm_rate=0.1,
        limit=40,
        log=None,
    )
    code, out, err = run_cli("predict", run, *strange, "--json")
    assert code == 0, err
    assert all(0 <= x["anomaly_score"] <= 1 for x in json.loads(out))
    code, out, err = run_cli(
        "export", run, "--with-detector", "--out", tmp_path / "out"
    )
    assert (code, out) == (2, "")
    assert "'forest' is no plain arithmetic" in err and "surprise" in err
    assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_a_run_without_a_gate_is_the_baseline(make_tiny_run, tmp_path, run_cli):
    run = make_tiny_run(tmp_path / "run", epochs=2, gated=False)
    code, out, err = run_cli(
        "detect", "fit", run, "--false-alarm-rate", 0.1, "--limit", 30
    )
    assert code == 0, err
    assert "has no gate: this is the baseline" in err
    code, _, err = run_cli(
        "export", run, "--with-detector", "--out", tmp_path / "out"
    )
    assert code == 0, err
    assert "its detector is the baseline" in err


def test_too_few_images_for_the_rate_are_one_line(detecting_run, run_cli):
    code, out, err = run_cli(
        "detect", "fit", detecting_run, "--false-alarm-rate", 0.001
    )
    assert (code, out) == (2, "")
    assert "0.001 takes 1,000 clean images or more" in err
    assert len(err.strip().splitlines()) == 1


def test_a_detector_of_a_changed_network_stops_a_prediction(
    detecting_run, tiny_run, strange, tmp_path, run_cli
):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    shutil.copytree(detecting_run / "detector", run / "detector")
    code, out, err = run_cli("predict", run, strange[0])
    assert (code, out) == (2, "")
    assert "was fitted on another network" in err and "fit it again" in err


def test_without_data_there_is_no_temperature(tiny_run, tmp_path, run_cli):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    config["data"] = str(tmp_path / "gone")
    (run / "config.json").write_text(json.dumps(config))
    code, out, err = run_cli(
        "export", run, "--calibrate", "--out", tmp_path / "out"
    )
    assert (code, out) == (2, "")
    assert "--calibrate takes images of the validation split" in err
