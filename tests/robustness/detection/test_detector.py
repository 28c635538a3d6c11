"""The detector in scikit-learn's manner, on a tiny classifier."""

import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.robustness import AnomalyDetector
from keras_csg.robustness.detection import AnomalyScore, list_scores
from keras_csg.robustness.detection.registry import find_score
from keras_csg.robustness.detection.thresholds import threshold_of
from tests.tiny import tiny_classifier, tiny_data

CLEAN, _ = tiny_data(400)
OTHER, _ = tiny_data(300, seed=1)
STRANGE = np.random.default_rng(2).uniform(0, 255, (80, 8, 8, 3))
ARGUMENTS = {"unknown": STRANGE, "calibration": OTHER}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = tiny_classifier()
    model.gate.gate_matrix.assign(np.tile(np.eye(4), 2)[:, :6])
    return model


@pytest.fixture(scope="module")
def fitted(model):
    return {
        name: AnomalyDetector(name).fit(model, CLEAN, **ARGUMENTS)
        for name in list_scores()
    }


def features_of(model, images):
    return keras.ops.convert_to_numpy(model.features(images))


@pytest.mark.parametrize("name", list_scores())
def test_no_more_clean_images_are_flagged_than_was_asked_for(fitted, name):
    flagged = fitted[name].predict(OTHER) == -1
    assert 0 < flagged.mean() <= 0.05


def test_signs_are_those_of_scikit_learn(fitted):
    detector = fitted["surprise"]
    scores = detector.score_samples(STRANGE)
    decision = detector.decision_function(STRANGE)
    assert_allclose(decision, detector.threshold_ - scores)
    assert_array_equal(detector.predict(STRANGE), np.where(decision < 0, -1, 1))


@pytest.mark.parametrize("name", list_scores())
def test_a_share_above_one_less_the_rate_is_unknown(fitted, name):
    detector = fitted[name]
    images = np.concatenate([OTHER, STRANGE]).astype("float32")
    shares = detector.anomaly_scores(images)
    assert ((shares >= 0) & (shares <= 1)).all()
    # One image sits on the threshold itself.
    sure = np.abs(shares - 0.95) > 1e-6
    unknown = detector.predict(images) == -1
    assert_array_equal(unknown[sure], (shares > 0.95)[sure])


def test_the_threshold_is_that_of_the_next_image_not_of_the_last():
    scores = np.arange(1, 100)  # With the next one, a hundred.
    assert threshold_of(scores, 0.05) == 95
    assert threshold_of(scores[:19], 0.05) == 19
    assert threshold_of(scores, 0.5) == 50


def test_features_and_batches_score_as_images_do(model, fitted):
    detector = fitted["surprise"]
    scores = detector.score_samples(STRANGE)
    features = features_of(model, STRANGE)
    assert_allclose(detector.score_samples(features), scores, rtol=1e-4)
    batches = ((STRANGE[i : i + 7], None) for i in range(0, 80, 7))
    assert_allclose(detector.score_samples(batches), scores, rtol=1e-4)
    images = list(STRANGE)
    assert_allclose(detector.score_samples(images), scores, rtol=1e-4)


def test_it_can_be_fitted_on_features_alone(model, fitted):
    detector = AnomalyDetector().fit(
        model, features_of(model, CLEAN), calibration=features_of(model, OTHER)
    )
    assert detector.threshold_ == pytest.approx(
        fitted["surprise"].threshold_, rel=1e-3
    )


def test_every_second_image_is_held_back_where_nothing_else_is(model):
    detector = AnomalyDetector("energy", 0.1).fit(model, CLEAN)
    scores = AnomalyDetector("energy", 0.1).fit(
        model, CLEAN[::2], calibration=CLEAN[1::2]
    )
    assert detector.threshold_ == scores.threshold_


@pytest.mark.parametrize("name", list_scores())
def test_what_was_saved_is_what_comes_back(model, fitted, name, tmp_path):
    detector = fitted[name]
    detector.save(tmp_path / "d")
    again = AnomalyDetector.load(tmp_path / "d", model)
    assert again.get_params() == detector.get_params()
    assert again.threshold_ == detector.threshold_
    assert_array_equal(
        again.score_samples(STRANGE), detector.score_samples(STRANGE)
    )
    assert_array_equal(
        again.anomaly_scores(STRANGE), detector.anomaly_scores(STRANGE)
    )


def test_without_its_classifier_it_takes_features(model, fitted, tmp_path):
    detector = fitted["surprise"]
    detector.save(tmp_path / "d")
    again = AnomalyDetector.load(tmp_path / "d")
    features = features_of(model, STRANGE)
    assert_array_equal(
        again.score_samples(features), detector.score_samples(features)
    )
    with pytest.raises(ValueError, match="loaded without its classifier"):
        again.score_samples(STRANGE)


@pytest.mark.parametrize("name", list_scores())
def test_tensors_and_the_layer_score_as_the_detector_does(model, fitted, name):
    detector = fitted[name]
    features = features_of(model, STRANGE)
    logits = model.head(features)
    specific = model.class_specific_logits(features)
    if not find_score(name).exportable:
        with pytest.raises(ValueError, match="no plain arithmetic"):
            detector.gate_score(None, features, logits, specific)
        with pytest.raises(ValueError, match="no plain arithmetic"):
            detector.as_layer()
        return
    scores = detector.gate_score(None, features, logits, specific)
    expected = detector.score_samples(features)
    assert_allclose(scores, expected, rtol=1e-3, atol=1e-3)
    alone = detector.gate_score(None, features, logits, None)
    assert_allclose(alone, expected, rtol=1e-3, atol=1e-3)
    layer = detector.as_layer()
    shares = layer(features, logits, specific)
    assert_allclose(shares, detector.anomaly_scores(features), atol=2e-3)


def test_a_layer_is_saved_with_what_it_has_learned(model, fitted, tmp_path):
    layer = fitted["surprise"].as_layer(name="anomaly_score")
    assert not layer.trainable_weights
    features = model.pooling(model.backbone.output)
    logits = model.head(features)
    share = layer(features, logits, logits)
    graph = keras.Model(model.backbone.input, share)
    graph.save(tmp_path / "graph.keras")
    again = keras.saving.load_model(tmp_path / "graph.keras")
    assert isinstance(again.get_layer("anomaly_score"), AnomalyScore)
    assert_array_equal(
        again.predict_on_batch(STRANGE), graph.predict_on_batch(STRANGE)
    )
    assert share.shape == (None,)


def test_a_network_without_a_gate_is_the_baseline():
    model = tiny_classifier(gated=False)
    detector = AnomalyDetector("own_share").fit(model, CLEAN)
    scores = detector.score_samples(STRANGE)
    assert ((scores >= 0) & (scores <= 1)).all()
    features = features_of(model, STRANGE)
    assert_allclose(
        detector.gate_score(None, features, model.head(features), None),
        scores,
        atol=1e-5,
    )


def test_arguments_are_scikit_learns():
    detector = AnomalyDetector("energy", 0.1, seed=3)
    assert detector.get_params() == {
        "score": "energy",
        "false_alarm_rate": 0.1,
        "seed": 3,
        "batch_size": 128,
    }
    assert detector.set_params(score="msp").score == "msp"
    with pytest.raises(TypeError, match="such"):
        detector.set_params(such=1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"score": "enrgy"}, "did you mean 'energy'"),
        ({"false_alarm_rate": 0}, "above 0 and at most 0.5"),
        ({"false_alarm_rate": 0.6}, "above 0 and at most 0.5"),
        ({"false_alarm_rate": "5%"}, "`false_alarm_rate` must be a number"),
        ({"seed": -1}, "`seed` must be a whole number"),
        ({"batch_size": 0}, "`batch_size` must be a whole number"),
    ],
)
def test_arguments_that_cannot_be_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        AnomalyDetector(**arguments)


@pytest.mark.parametrize(
    "images, message",
    [
        (CLEAN[:, :4], r"`images` must be images of shape .*\(400, 4, 8, 3\)"),
        (CLEAN + 200, r"must be RGB in 0\.\.255"),
        (CLEAN - 300, r"must be RGB in 0\.\.255"),
        (np.zeros((50, 5)), r"shape \(samples, 6\)"),
        (np.full((50, 6), np.nan), "must be finite"),
        ([], "must hold an image"),
        (7, "must be images of shape"),
    ],
)
def test_images_that_are_none_are_named(model, images, message):
    with pytest.raises(ValueError, match=message):
        AnomalyDetector("energy").fit(model, images)


def test_what_cannot_be_fitted_is_refused(model):
    with pytest.raises(ValueError, match="learns from images that are not of"):
        AnomalyDetector("forest").fit(model, CLEAN)
    with pytest.raises(ValueError, match="must be a CSGClassifier or a run"):
        AnomalyDetector().fit("runs/a", CLEAN)
    with pytest.raises(ValueError, match="one class each"):
        AnomalyDetector().fit(tiny_classifier(multi_label=True), CLEAN)
    for use in ("score_samples", "predict"):
        with pytest.raises(ValueError, match="not fitted: call `fit`"):
            getattr(AnomalyDetector(), use)(CLEAN)


def test_a_detector_of_another_network_is_refused(fitted, tmp_path):
    fitted["surprise"].save(tmp_path / "d")
    with pytest.raises(ValueError, match="fitted on another network"):
        AnomalyDetector.load(tmp_path / "d", tiny_classifier(gated=False))


def test_damaged_files_are_named(fitted, tmp_path):
    folder = tmp_path / "d"
    with pytest.raises(ValueError, match="There is no detector in"):
        AnomalyDetector.load(folder)
    fitted["surprise"].save(folder)
    facts = json.loads((folder / "detector.json").read_text())
    (folder / "detector.json").write_text(json.dumps(facts | {"format": 9}))
    with pytest.raises(ValueError, match="later version.*format 9"):
        AnomalyDetector.load(folder)
    (folder / "detector.json").write_text("{")
    with pytest.raises(ValueError, match="detector.json is damaged"):
        AnomalyDetector.load(folder)
    (folder / "detector.json").write_text(json.dumps(facts))
    (folder / "detector.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match="detector.npz is damaged"):
        AnomalyDetector.load(folder)


def test_no_arrays_of_objects_are_read(fitted, tmp_path):
    folder = tmp_path / "d"
    fitted["surprise"].save(folder)
    facts = json.loads((folder / "detector.json").read_text())
    del facts["facts_sha256"]
    np.savez(folder / "detector.npz", rank=np.array([{}], object))
    from keras_csg.robustness.detection import storing

    facts["arrays_sha256"] = storing.sha256_of(folder / "detector.npz")
    (folder / "detector.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match="damaged"):
        AnomalyDetector.load(folder)


def test_only_a_detector_is_written_over(fitted, tmp_path):
    folder = tmp_path / "d"
    fitted["surprise"].save(folder)
    fitted["energy"].save(folder)
    assert AnomalyDetector.load(folder).score == "energy"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(ValueError, match="is no detector: name another"):
        fitted["energy"].save(tmp_path / "mine")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "mine"]
