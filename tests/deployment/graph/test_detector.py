"""What a detector and a temperature add to the graph."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.deployment.graph.answers import answering_model
from keras_csg.deployment.graph.outputs import OUTPUTS
from keras_csg.evaluation import Calibration
from keras_csg.robustness.detection.registry import exportable_scores
from tests.deployment.detecting import (
    detecting,
    images_to_ask,
    some_images,
    surprise_by_hand,
)
from tests.deployment.trained import (
    answers_by_hand,
    softmax,
    trained_classifier,
)

IMAGES = images_to_ask()
FITTED = Calibration(2.0, 50, 0.2, 0.1, 0.5, 0.3, 0.2)


def answers(model, **kwargs):
    return answering_model(model, **kwargs).predict_on_batch(IMAGES)


def test_the_default_score_is_that_worked_out_by_hand():
    model, detector = detecting()
    given = answers(model, detector=detector)
    assert list(given) == [*OUTPUTS, "anomaly_score", "known"]
    features = keras.ops.convert_to_numpy(model.features(IMAGES))
    score, share = surprise_by_hand(detector, features)
    assert_allclose(given["anomaly_score"], share, atol=1e-4)
    assert given["known"].dtype == bool
    assert_array_equal(given["known"], score <= detector.threshold_)
    assert given["known"].any() and not given["known"].all()


def test_the_clean_image_that_is_the_threshold_is_known():
    """As to the detector itself, whatever the last digit."""
    model, detector = detecting()
    clean = some_images(210, seed=1)  # What it was calibrated on.
    scores = detector.score_samples(clean)
    (at,) = np.flatnonzero(scores == detector.threshold_)
    graph = answering_model(model, ["known"], detector=detector)
    known = graph.predict_on_batch(clean)["known"]
    assert known[at]
    assert_array_equal(known, scores <= detector.threshold_)


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("name", exportable_scores())
def test_every_score_is_that_of_the_detector(name, gated):
    """Of a network without a gate, too, whose logits the graph shifts."""
    model, detector = detecting(name, gated=gated)
    kernel, bias = model.head.get_weights()
    assert abs(kernel.mean()) + abs(bias.mean()) > 0.1  # Or no shift is seen.
    given = answers(
        model, detector=detector, outputs=["anomaly_score", "known"]
    )
    expected = detector.anomaly_scores(IMAGES)
    assert_allclose(given["anomaly_score"], expected, atol=2e-4)
    assert_array_equal(given["known"], detector.predict(IMAGES) == 1)


@pytest.mark.parametrize(
    "name, gated, seen, tables",
    [
        ("surprise", True, {"features"}, 0),
        ("energy", True, {"logits"}, 1),
        ("specific_energy", True, {"specific_logits"}, 2),
        ("energy", False, {"logits"}, 1),
        ("head_disagreement", False, {"logits", "specific_logits"}, 2),
    ],
)
def test_the_graph_has_no_table_that_the_score_ignores(
    name, gated, seen, tables
):
    model, detector = detecting(name, gated=gated)
    assert detector.looks_at() == seen
    graph = answering_model(model, ["known"], detector=detector)
    shape = (model.num_classes, model.filters)
    large = [w for w in graph.weights if w.shape in (shape, shape[::-1])]
    # The score itself may have the means of as many classes.
    large = [w for w in large if "anomaly_score" not in w.path]
    assert len(large) == tables


def test_a_temperature_changes_probabilities_alone():
    model, detector = detecting("msp")
    plain = answers(model, detector=detector)
    given = answers(model, detector=detector, temperature=FITTED)
    features = np.float64(keras.ops.convert_to_numpy(model.features(IMAGES)))
    kernel, bias = map(np.float64, model.head.get_weights())
    gate = np.float64(model.gate.gate_matrix)
    logits = features @ kernel + bias
    assert_allclose(given["probabilities"], softmax(logits / 2), atol=1e-5)
    specific = softmax((features @ (kernel * gate.T) + bias) / 0.5)
    assert_allclose(given["class_specific_probabilities"], specific, atol=1e-5)
    rows = np.arange(len(IMAGES)), given["class_id"]
    assert_allclose(given["gate_agreement"], specific[rows], atol=1e-5)
    for name in (
        *("class_id", "filter_contributions", "evidence", "heatmap"),
        *("anomaly_score", "known"),
    ):
        assert_array_equal(given[name], plain[name], err_msg=name)
    assert_array_equal(given["class_id"], logits.argmax(-1))


def test_a_huge_temperature_changes_no_class():
    """Though the probabilities are all the same to the last bit."""
    model, _ = detecting()
    given = answers(model, temperature=FITTED._replace(temperature=1e9))
    assert np.ptp(given["probabilities"], axis=1).max() < 1e-6
    expected = answers_by_hand(model, IMAGES)["class_id"]
    assert_array_equal(given["class_id"], expected)


def test_sigmoids_share_a_temperature():
    model = trained_classifier(multi_label=True)
    given = answers(model, temperature=FITTED, outputs=["probabilities"])
    plain = answers(model, outputs=["probabilities"])["probabilities"]
    logits = np.log(np.float64(plain)) - np.log1p(-np.float64(plain))
    sharp = np.abs(logits) < 10
    halved = 1 / (1 + np.exp(-logits / 2))
    assert_allclose(given["probabilities"][sharp], halved[sharp], atol=1e-4)
    assert_array_equal(given["probabilities"] >= 0.5, plain >= 0.5)


def test_its_outputs_need_a_detector_and_it_needs_one_of_them():
    model, detector = detecting()
    with pytest.raises(ValueError, match="and known take a `detector`"):
        answering_model(model, ["known"])
    with pytest.raises(ValueError, match="must name anomaly_score or known"):
        answering_model(model, ["class_id"], detector=detector)


def test_the_graph_is_read_back_from_its_config():
    model, detector = detecting()
    graph = answering_model(model, detector=detector, temperature=FITTED)
    again = graph.__class__.from_config(graph.get_config())
    again.set_weights(graph.get_weights())
    for name, values in again.predict_on_batch(IMAGES).items():
        assert_allclose(values, graph.predict_on_batch(IMAGES)[name])
