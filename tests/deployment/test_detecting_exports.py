"""Exported files with a detector and a temperature."""

import importlib.util
import json

import numpy as np
import pytest
from PIL import Image

import keras_csg
from keras_csg.deployment.additions import checked_detector
from keras_csg.deployment.metadata import Metadata
from keras_csg.evaluation import Calibration
from keras_csg.robustness import AnomalyDetector
from keras_csg.robustness.detection.registry import exportable_scores
from tests.deployment.detecting import (
    detecting,
    images_to_ask,
    some_images,
    strange_images,
)
from tests.deployment.trained import trained_classifier

FITTED = Calibration(1.5, 300, 0.1, 0.02, 0.75, 0.2, 0.03)
IMAGES = images_to_ask()
HAS_OPENVINO = importlib.util.find_spec("openvino") is not None


@pytest.fixture(scope="module")
def pair():
    return detecting()


@pytest.fixture(scope="module")
def onnx_file(pair, tmp_path_factory):
    model, detector = pair
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    proof = keras_csg.export(
        model, path, detector=detector, temperature=FITTED, images=IMAGES
    )
    assert proof["known_agreement"] == 1
    assert proof["flagged"] == proof["keras_flagged"] > 0.2
    return path


def test_the_file_answers_as_the_detector_does(pair, onnx_file):
    given = keras_csg.open_exported(onnx_file).answer(IMAGES)
    _, detector = pair
    np.testing.assert_allclose(
        given["anomaly_score"], detector.anomaly_scores(IMAGES), atol=1e-4
    )
    assert given["known"].dtype == bool and given["known"].shape == (42,)
    np.testing.assert_array_equal(given["known"], detector.predict(IMAGES) == 1)


def test_the_file_says_what_its_detector_and_temperature_are(pair, onnx_file):
    _, detector = pair
    metadata = keras_csg.read_metadata(onnx_file)
    assert metadata.detector == {
        "score": "surprise",
        "threshold": detector.threshold_,
        "known_up_to": 0.95,
        "false_alarm_rate": 0.05,
        "images": 210,
        "baseline": False,
    }
    assert metadata.temperature == FITTED._asdict()
    assert [*metadata.outputs][-2:] == ["anomaly_score", "known"]
    beside = json.loads(onnx_file.with_name("model.onnx.json").read_text())
    assert beside["detector"] == metadata.detector
    again = Metadata.from_json(metadata.to_json())
    assert again.detector == metadata.detector
    assert again.temperature == metadata.temperature


def test_a_file_from_before_there_were_any_is_read(onnx_file):
    values = json.loads(keras_csg.read_metadata(onnx_file).to_json())
    for name in ("detector", "temperature", "digest"):
        del values[name]
    metadata = Metadata.from_json(json.dumps(values))
    assert metadata.detector is None and metadata.temperature is None


def test_predictions_say_whether_it_is_known(onnx_file, tmp_path):
    paths = []
    for number, pixels in enumerate((IMAGES[0], IMAGES[-1])):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(np.rint(pixels).astype("uint8")).save(paths[-1])
    known, strange = keras_csg.predict(onnx_file, paths)
    assert known["known"] and known["anomaly_score"] < 0.95
    assert strange["known"] is False and strange["anomaly_score"] > 0.95
    assert strange["classes"]  # The nearest.


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # The exporters' own.
@pytest.mark.parametrize("quantize", [None, "float16", "int8"])
@pytest.mark.parametrize(
    "format, name",
    [
        ("onnx", "model.onnx"),
        ("litert", "model.tflite"),
        ("openvino", "openvino"),
        ("saved_model", "saved"),
    ],
)
def test_every_format_has_both(format, name, quantize, pair, tmp_path):
    if format == "openvino" and not HAS_OPENVINO:
        pytest.skip("OpenVINO is not installed")
    if format == "saved_model" and quantize is not None:
        pytest.skip("a SavedModel is never quantised")
    model, detector = pair
    settings = {"quantize": quantize} if quantize else {}
    if quantize == "int8":
        settings["calibration"] = some_images(64, seed=3)
    proof = keras_csg.export(
        model,
        tmp_path / name,
        format,
        detector=detector,
        temperature=FITTED,
        images=IMAGES,
        min_agreement=0.8,
        **settings,
    )
    given = keras_csg.open_exported(tmp_path / name).answer(IMAGES)
    expected = detector.anomaly_scores(IMAGES)
    close = {None: 1e-4, "float16": 0.06, "int8": 0.4}[quantize]
    np.testing.assert_allclose(given["anomaly_score"], expected, atol=close)
    assert given["known"].dtype == bool
    same = given["known"] == (detector.predict(IMAGES) == 1)
    assert same.mean() == proof["known_agreement"] >= 0.9
    read = keras_csg.read_metadata(tmp_path / name)
    assert read.detector["score"] == "surprise"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("score", exportable_scores())
@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
def test_every_score_is_proven(name, score, gated, tmp_path):
    model, detector = detecting(score, gated=gated)
    proof = keras_csg.export(
        model,
        tmp_path / name,
        detector=detector,
        outputs=["anomaly_score", "known"],
        images=IMAGES,
        # Of six filters these two lose digits: one is a thousand times the
        # logarithm of what is nearly one, the other divides by what is small.
        tolerance=3e-4 if score in ("odin", "two_sided") else 1e-4,
    )
    assert proof["known_agreement"] == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("score", ["odin", "knn", "gate_surprise"])
@pytest.mark.parametrize("name", ["model.onnx", "model.tflite"])
def test_8_bits_leave_the_score_as_it_is(name, score, tmp_path):
    """Its own means and sums are not taken for the network's."""
    model, detector = detecting(score)
    proof = keras_csg.export(
        model,
        tmp_path / name,
        detector=detector,
        quantize="int8",
        calibration=some_images(64, seed=3),
        images=some_images(60, seed=5),
        min_agreement=0.8,
    )
    assert proof["known_agreement"] >= 0.9


def test_triton_is_told_of_truth_values(pair, tmp_path):
    model, detector = pair
    keras_csg.export(
        model,
        tmp_path / "birds",
        layout="triton",
        detector=detector,
        outputs=["class_id", "anomaly_score", "known"],
        images=IMAGES,
    )
    text = (tmp_path / "birds" / "config.pbtxt").read_text()
    known = text.partition('name: "known"')[2]
    assert known.splitlines()[1].strip() == "data_type: TYPE_BOOL"
    score = text.partition('name: "anomaly_score"')[2]
    assert score.splitlines()[1].strip() == "data_type: TYPE_FP32"


def test_a_saved_detector_is_named_by_its_folder(pair, tmp_path):
    model, detector = pair
    detector.save(tmp_path / "detector")
    opened = checked_detector(model, tmp_path / "detector")
    assert opened.description() == detector.description()


def test_one_that_was_saved_before_its_images_were_counted(pair, tmp_path):
    model, detector = pair
    detector.save(tmp_path / "detector")
    facts = tmp_path / "detector" / "detector.json"
    values = json.loads(facts.read_text())
    assert values.pop("calibrated_on") == 210
    del values["facts_sha256"]
    facts.write_text(json.dumps(values))
    opened = checked_detector(model, tmp_path / "detector")
    assert opened.description()["images"] is None


def test_a_score_that_cannot_live_in_a_graph_is_refused(tmp_path):
    model, detector = detecting("forest")
    with pytest.raises(ValueError, match="'forest' is no plain arith") as error:
        keras_csg.export(model, tmp_path / "m.onnx", detector=detector)
    (line,) = str(error.value).splitlines()
    for name in exportable_scores():
        assert name in line
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("saved", [True, False])
def test_a_detector_of_another_network_is_refused(pair, tmp_path, saved):
    _, detector = pair
    if saved:
        detector.save(tmp_path / "detector")
        detector = tmp_path / "detector"
    other = trained_classifier(seed=9)
    with pytest.raises(ValueError, match="was fitted on another network"):
        keras_csg.export(other, tmp_path / "m.onnx", detector=detector)
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"detector": AnomalyDetector()}, "was not fitted"),
        ({"detector": 3}, "`detector` must be an `AnomalyDetector`"),
        ({"detector": "nowhere"}, "There is no detector in nowhere"),
        ({"temperature": 1.5}, "what `keras_csg.calibrate` returns"),
        ({"temperature": FITTED._replace(temperature=0)}, "above 0"),
        (
            {"temperature": FITTED._replace(class_specific_temperature=None)},
            "for each head",
        ),
    ],
)
def test_odd_arguments_are_refused(pair, tmp_path, changes, message):
    model, _ = pair
    with pytest.raises(ValueError, match=message):
        keras_csg.export(model, tmp_path / "m.onnx", **changes)
    assert not any(tmp_path.iterdir())


def test_a_network_without_a_gate_is_the_baseline(tmp_path):
    model, detector = detecting(gated=False)
    keras_csg.export(
        model, tmp_path / "m.onnx", detector=detector, images=IMAGES
    )
    assert keras_csg.read_metadata(tmp_path / "m.onnx").detector["baseline"]


def test_images_out_of_range_are_refused(pair):
    _, detector = pair
    for images in (some_images() + 200, some_images() - 10):
        with pytest.raises(ValueError, match="must be RGB in 0..255"):
            detector.predict(images)
    with pytest.raises(ValueError, match="must be RGB in 0..255"):
        AnomalyDetector().fit(trained_classifier(), strange_images() * 2)


def test_a_detector_that_was_changed_is_not_exported(tmp_path):
    model, detector = detecting()
    detector.threshold_ += 1
    with pytest.raises(ValueError, match="changed after it was fitted.*again"):
        keras_csg.export(model, tmp_path / "m.onnx", detector=detector)
    assert not (tmp_path / "m.onnx").exists()
