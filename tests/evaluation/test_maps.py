import json

import numpy as np
import pytest

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.evaluation import (
    evaluate_grid_pointing,
    evaluate_localization,
    evaluate_maps,
    evaluate_sanity,
)
from keras_csg.explain import cascading_randomization
from tests.evaluation.confident import confident_classifier
from tests.tiny import tiny_classifier, tiny_data


def annotated(samples=100, known=True):
    images, labels = tiny_data(samples)
    masks = np.random.default_rng(1).random((samples, 8, 8)) < 0.4
    return AnnotatedImages(images, labels, masks if known else None)


def test_images_with_masks_are_measured_by_them():
    model, images = tiny_classifier(), annotated(6)
    rows, figures = evaluate_maps(model, images, part="head", batch_size=4)
    assert rows == evaluate_localization(model, images, batch_size=4)
    assert list(figures)[:3] == ["images", "part", "gated_cam_iou"]
    assert figures["images"] == 6 and figures["part"] == "head"
    assert figures["whole_image_iou"] == rows["whole_image"]["iou"]
    assert "grid_pointing_game" not in figures
    json.dumps(figures, allow_nan=False)


def test_images_without_masks_play_the_grid_game():
    model, images, said = confident_classifier(), annotated(known=False), []
    rows, figures = evaluate_maps(model, images, mosaics=3, log=said.append)
    game = evaluate_grid_pointing(
        model, images.images, images.labels, 2, mosaics=3
    )
    shares = game.shares
    assert rows == {name: {"grid_2x2": share} for name, share in shares.items()}
    assert figures["part"] is None
    assert figures["grid_pointing_game"] == shares["gated_cam"]
    assert figures["grid_2x2_images"] == game.images == 12
    assert figures["grid_2x2_classes"] == 4
    # The network is never sure of the fourth class, so 3 x 3 is out of reach.
    played, text = said
    assert played == (
        "Grid pointing game of 2x2: 3 mosaics of 12 different images of 4 "
        "classes."
    )
    assert text.startswith("No grid pointing game of 3x3: it takes 9 classes")


def test_images_with_masks_play_where_it_is_asked_for():
    model, seen = confident_classifier(), []

    def track(batches, text):
        seen.append(text)
        return batches

    rows, figures = evaluate_maps(
        model, annotated(), grid=True, mosaics=2, track=track
    )
    assert seen == ["gated_gradient_map", "gradient_map", "grid 2x2"]
    assert set(rows["cam"]) == {
        "iou",
        "ap20",
        "ap30",
        "pointing_game",
        "grid_2x2",
    }
    assert rows["chance"] == {"grid_2x2": 0.25}
    assert "grid_2x2" not in rows["whole_image"]
    assert figures["grid_pointing_game"] == rows["gated_cam"]["grid_2x2"]


def test_without_a_gate_the_game_is_that_of_the_plain_cam():
    model = tiny_classifier(gated=False)
    for variable, other in zip(
        [*model.backbone.weights, *model.head.weights],
        [
            weight
            for part in ("backbone", "head")
            for weight in getattr(confident_classifier(), part).weights
        ],
        strict=True,
    ):
        variable.assign(other)
    rows, figures = evaluate_maps(model, annotated(known=False), mosaics=2)
    assert figures["grid_pointing_game"] == rows["cam"]["grid_2x2"]


@pytest.mark.parametrize("samples, expected", [(3, 3), (7, 2), (8, 2)])
def test_sanity_looks_at_some_images(samples, expected):
    model, images = tiny_classifier(), annotated(samples, known=False)
    most = 2 if samples > 3 else 16
    found = evaluate_sanity(model, images, most=most)
    assert found["images"] == expected
    step = max(1, samples // most)
    chosen = np.arange(samples)[::step][:most]
    assert found["depths"] == cascading_randomization(
        model, images.images[chosen], images.labels[chosen]
    )
    json.dumps(found, allow_nan=False)
