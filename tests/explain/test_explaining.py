"""Explanations against sums by hand, and against the model itself."""

import json
from unittest import mock

import numpy as np
import pytest
from PIL import Image
from scipy import special

import keras_csg
from keras_csg.explain import SeenImages, explain, look_at
from tests.explain.hand_made import (
    GATE,
    HEAD,
    channel_classifier,
    image_of_cells,
)

BIAS = np.array([0.5, -0.25], "float32")
RED = np.array([[8.0, 0.0], [0.0, 0.0]])
GREEN = np.array([[0.0, 0.0], [0.0, 4.0]])
BLUE = np.array([[0.0, 4.0], [0.0, 0.0]])
AVERAGES = np.array([2.0, 1.0, 1.0])


@pytest.fixture
def model():
    model = channel_classifier()
    model.head.set_weights([HEAD, BIAS])
    return model


@pytest.fixture
def image():
    return image_of_cells(RED, GREEN, BLUE)


def test_contributions_are_weights_times_averages(model, image):
    (parts,) = explain(model, image, 0).predicted.contributions
    logits = AVERAGES @ HEAD + BIAS
    assert logits.argmax() == 1
    np.testing.assert_allclose(parts, AVERAGES * HEAD[:, 1])


def test_contributions_sum_to_the_logit_less_the_bias():
    model = keras_csg.build("resnet20", num_classes=7, input_shape=(32, 32, 3))
    model.head.bias.assign(np.linspace(-1, 1, 7))
    images = np.random.default_rng(0).uniform(0, 255, (5, 32, 32, 3))
    logits = model.predict(images, verbose=0)
    found = model.explain(images, for_class=[0, 1, 2, 3, 4], batch_size=2)
    for evidence in (found.predicted, found.other):
        wanted = np.take_along_axis(logits, evidence.classes[:, None], 1)[:, 0]
        sums = evidence.contributions.sum(axis=1) + evidence.biases
        np.testing.assert_allclose(sums, wanted, atol=1e-4)
    np.testing.assert_allclose(
        found.contrast.totals + found.contrast.biases,
        logits.max(axis=1)
        - np.take_along_axis(logits, found.other.classes[:, None], 1)[:, 0],
        atol=1e-4,
    )


def test_the_largest_of_either_sign_come_first(model, image):
    evidence = explain(model, image, 0).other
    np.testing.assert_allclose(evidence.contributions[0], [2, 0, -1])
    assert evidence.filters.tolist() == [[0, 2, 1]]


def test_a_filters_map_has_its_contribution_as_mean(model, image):
    evidence = explain(model, image, 0).other
    np.testing.assert_allclose(evidence.maps[0, 0], RED)
    np.testing.assert_allclose(evidence.maps[0, 1], -BLUE)


def test_the_heatmap_is_over_the_classs_own_filters(model, image):
    found = explain(model, image, 0)
    (heat,) = found.other.heatmap
    own = RED * HEAD[0, 0] * GATE[0, 0] + BLUE * HEAD[2, 0] * GATE[0, 2]
    np.testing.assert_allclose(heat, np.maximum(own, 0) / own.max())
    assert found.other.peaks == [own.max()]


def test_the_contrast_is_the_difference_of_two_classes(model, image):
    contrast = explain(model, image, 0).contrast
    parts = AVERAGES * (HEAD[:, 1] - HEAD[:, 0])
    np.testing.assert_allclose(contrast.contributions[0], parts)
    assert contrast.biases == BIAS[1] - BIAS[0]


def test_without_a_filter_its_part_of_every_logit_is_missing(model, image):
    found = explain(model, image, 0)
    logits = AVERAGES @ HEAD + BIAS
    for place, number in enumerate(found.predicted.filters[0]):
        left = logits - AVERAGES[number] * HEAD[number]
        probability = special.softmax(left)[1]
        assert found.without.classes[0, place] == left.argmax()
        assert found.without.probabilities[0, place] == pytest.approx(
            probability
        )


def test_without_its_own_filters_those_fully_open_are_missing(model, image):
    found = explain(model, image)
    left = AVERAGES * [1, 0, 0] @ HEAD + BIAS
    assert found.without_own.classes == [left.argmax()]
    np.testing.assert_allclose(
        found.without_own.probabilities, special.softmax(left)[1], rtol=1e-6
    )


def test_the_class_specific_head_has_own_filters_alone(model, image):
    found = explain(model, image)
    logits = AVERAGES @ (HEAD * GATE.T) + BIAS
    np.testing.assert_allclose(
        found.class_specific_probabilities[0],
        special.softmax(logits),
        rtol=1e-6,
    )


def test_the_runner_up_stands_in_where_the_class_is_predicted():
    model = keras_csg.build("resnet20", num_classes=5, input_shape=(32, 32, 3))
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3))
    order = np.argsort(-model.predict(images, verbose=0), axis=1)
    found = model.explain(images, for_class=int(order[0, 0]))
    assert found.other.classes[0] == order[0, 1]
    assert (model.explain(images).other.classes == order[:, 1]).all()


def test_heads_that_disagree_are_named(model):
    model.gate.gate_matrix.assign([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    found = explain(model, image_of_cells(RED, 4 * GREEN, 0 * BLUE))
    assert found.heads_agree.tolist() == [False]
    assert any("disagree" in text for text in found.sentences(0))
    assert found.to_dict()["images"][0]["heads_agree"] is False


def test_a_network_without_a_gate_says_so(image):
    found = explain(channel_classifier(gated=False), image)
    assert found.gate_matrix is None and found.without_own is None
    assert any("no gate" in text for text in found.sentences(0))
    own = HEAD[:, 1] - HEAD.mean(axis=1)
    heat = np.tensordot(np.stack([RED, GREEN, BLUE]), own, (0, 0))
    np.testing.assert_allclose(
        found.predicted.heatmap[0], np.maximum(heat, 0) / heat.max(), rtol=1e-6
    )


def test_json_holds_all_that_is_said(model, image):
    model.class_names = ["cat", "tiger"]
    text = json.dumps(explain(model, image, "cat").to_dict())
    (found,) = json.loads(text)["images"]
    assert found["predicted"]["class_name"] == "tiger"
    assert found["other"]["class_name"] == "cat"
    assert found["predicted"]["logit"] == pytest.approx(2.25)
    assert [entry["filter"] for entry in found["other"]["filters"]] == [0, 2, 1]


def test_several_classes_an_image_have_sigmoids(image):
    model = keras_csg.build(
        "resnet20", num_classes=3, input_shape=(32, 32, 3), multi_label=True
    )
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
    logits = model.predict(images, verbose=0)
    found = model.explain(images)
    np.testing.assert_allclose(
        found.probabilities, special.expit(logits), atol=1e-5
    )
    assert found.sentences(0)[0].startswith("Present: ")


def test_pictures_of_any_size_become_the_networks_image(model, tmp_path):
    wide = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (20, 60, 3), "uint8")
    )
    wide.save(tmp_path / "wide.png")
    found = explain(
        model, [tmp_path / "wide.png", wide, np.asarray(wide)], filters=2
    )
    assert len(found) == 3
    assert np.ptp(found.predicted.contributions, axis=0).max() == 0
    for index, picture in enumerate(found.pictures):
        assert picture.box == (20, 0, 40, 20)
        assert found.overlay(index).shape == (260, 780, 3)


def test_a_large_picture_keeps_its_size(model):
    image = np.zeros((300, 500, 3), "uint8")
    assert explain(model, [image]).overlay().shape == (300, 500, 3)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"for_class": "tigre"}, "nearest are"),
        ({"for_class": 2}, "numbers are 0 to 1"),
        ({"for_class": [0, 1]}, "one for each of 1"),
        ({"filters": 0}, "filters"),
        ({"images": []}, "must not be empty"),
        ({"images": np.zeros((1, 4, 4, 1))}, "shape"),
        ({"images": np.full((1, 4, 4, 3), np.nan)}, "from nan to nan"),
        ({"images": np.full((1, 4, 4, 3), 256.0)}, "from 256 to 256"),
        ({"images": "no/such.png"}, "There is no image file no/such.png"),
    ],
)
def test_what_cannot_be_explained_is_named(model, image, change, message):
    model.class_names = ["cat", "tiger"]
    with pytest.raises(ValueError, match=message):
        explain(model, **({"images": image} | change))


def test_numbers_out_of_range_are_refused(model, image):
    with pytest.raises(IndexError, match="index=1"):
        explain(model, image).plot(1)


def test_filters_switched_off_are_as_if_their_columns_were_zero(model, image):
    found = explain(model, image, 0, without=[1])
    left = AVERAGES * [1, 0, 1]
    logits = left @ HEAD + BIAS
    np.testing.assert_allclose(
        found.probabilities[0], special.softmax(logits), rtol=1e-6
    )
    np.testing.assert_allclose(
        found.class_specific_probabilities[0],
        special.softmax(left @ (HEAD * GATE.T) + BIAS),
        rtol=1e-6,
    )
    predicted = logits.argmax()
    assert found.predicted.classes == [predicted] == [0]
    np.testing.assert_allclose(
        found.predicted.contributions[0], left * HEAD[:, predicted]
    )
    assert found.switched_off == (1,)
    assert found.sentences(0)[0].startswith("Without filter 1: ")


def test_heatmaps_are_without_what_is_switched_off(model, image):
    found = explain(model, image, 0, without=[0, 0])
    (heat,) = (
        found.other if found.other.classes == [0] else found.predicted
    ).heatmap
    own = BLUE * HEAD[2, 0] * GATE[0, 2]  # Against the class throughout.
    np.testing.assert_allclose(heat, np.maximum(own, 0))


def test_seen_images_are_explained_without_the_backbone(model, image):
    seen = look_at(model, image)
    whole = explain(model, image, 0, without=[2])
    maps = seen.maps.copy()
    with mock.patch.object(model.backbone, "predict_on_batch", None):
        found = explain(model, seen, 0, without=[2])
        again = explain(model, seen, 0)
    np.testing.assert_array_equal(seen.maps, maps)
    assert found.to_dict() == whole.to_dict()
    assert again.to_dict() == explain(model, image, 0).to_dict()


def test_images_seen_by_another_network_are_refused(model, image):
    seen = SeenImages(look_at(model, image).pictures, np.zeros((1, 2, 2, 7)))
    with pytest.raises(ValueError, match="network of 3 filters"):
        explain(model, seen)


@pytest.mark.parametrize("number", [-1, 3, 1.5, "red"])
def test_there_is_no_such_filter_to_switch_off(model, image, number):
    with pytest.raises(ValueError, match="There is no filter"):
        explain(model, image, without=[number])


def test_images_in_0_to_1_are_noticed(model):
    with pytest.warns(UserWarning, match="not in 0..1"):
        explain(model, np.full((1, 4, 4, 3), 0.5))


def test_it_is_shown_in_a_line(model, image):
    found = explain(model, image)
    assert repr(found) == "<Explanation of 1 images, 2 classes, 3 filters>"
    assert found.sentences() == found.sentences(0)
