import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.evaluation.grid_pointing import grid_report
from keras_csg.evaluation.localization import flat_figures, localization_report
from keras_csg.explain import class_activation_map, filter_gradient_maps
from keras_csg.metrics.localization import (
    intersection_over_union,
    pointing_game,
    top_pixels,
)
from tests.tiny import tiny_classifier, tiny_data

MAPS = ["cam", "gradient_map", "activation_map"]


@pytest.fixture
def annotated():
    images, labels = tiny_data(12)
    masks = np.random.default_rng(1).random((12, 8, 8)) < 0.4
    return AnnotatedImages(images, labels, masks)


@pytest.mark.parametrize("gated", [True, False])
def test_a_row_for_each_map_with_and_without_the_gate(annotated, gated):
    model, texts = tiny_classifier(gated=gated), []

    def track(batches, text):
        texts.append(text)
        return batches

    rows = localization_report(model, annotated, batch_size=5, track=track)
    prefixes = ["gated_", ""] if gated else [""]
    assert list(rows) == [
        *(prefix + name for prefix in prefixes for name in MAPS),
        "whole_image",
        "centered_square",
    ]
    assert texts == [f"{prefix}gradient_map" for prefix in prefixes]
    values = [value for row in rows.values() for value in row.values()]
    assert np.all((np.array(values) >= 0) & (np.array(values) <= 1))
    cams = class_activation_map(
        model, annotated.images, annotated.labels, gated=gated
    )
    overlaps = intersection_over_union(top_pixels(cams), annotated.masks)
    row = rows[prefixes[0] + "cam"]
    assert_allclose(row["iou"], overlaps.mean(), rtol=1e-5)
    assert_allclose(row["ap30"], (overlaps > 0.3).mean())
    hits = pointing_game(cams, annotated.masks)
    assert_allclose(row["pointing_game"], hits.mean())


@pytest.mark.parametrize("gated", [True, False])
def test_gradient_maps_are_scored_as_in_the_paper(annotated, gated):
    """Once more, one filter of one image after the other."""
    model, (images, labels, masks) = tiny_classifier(), annotated
    gate = np.array(model.gate.gate_matrix)
    gate[:, :3] *= np.arange(4)[:, None] == [0, 1, 2]
    gate[:3, 3:] = 0
    model.gate.gate_matrix.assign(gate)
    features = np.asarray(model.features(images))
    overlaps = []
    for n, (label, mask) in enumerate(zip(labels, masks, strict=True)):
        means = features[labels == label].mean(axis=0)
        own = np.flatnonzero(gate[label] == 1) if gated else np.arange(6)
        top = own[np.argsort(-means[own])][:2]
        marked = filter_gradient_maps(model, images[[n]], top[None])[0] > 1
        scores = [(m & mask).sum() / (m | mask).sum() for m in marked]
        overlaps.append(np.mean(scores))
    rows = localization_report(model, annotated, filters=2)
    row = rows["gated_gradient_map" if gated else "gradient_map"]
    assert_allclose(row["iou"], np.mean(overlaps), rtol=0.02)
    assert_allclose(row["ap20"], np.mean(np.array(overlaps) >= 0.2), atol=0.1)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(annotated, policy):
    keras.config.set_dtype_policy(policy)
    rows = localization_report(tiny_classifier(), annotated)
    assert np.isfinite([list(row.values()) for row in rows.values()]).all()


def test_an_open_gate_changes_nothing(annotated):
    rows = localization_report(tiny_classifier(), annotated)
    for name in MAPS:
        assert rows[name] == pytest.approx(rows[f"gated_{name}"])


def test_figures_for_json():
    rows = {"cam": {"iou": 0.5, "ap20": float("nan")}}
    assert flat_figures(rows) == {"cam_iou": 0.5, "cam_ap20": None}


def confident_classifier():
    """A brightness of each colour decides, with confidence."""
    model = tiny_classifier()
    kernel = np.zeros((3, 3, 3, 6), "float32")
    kernel[1, 1, :, :3] = np.eye(3)
    model.backbone.get_layer("conv").kernel.assign(kernel)
    head = np.zeros((6, 4), "float32")
    head[:3, :3] = 50 * np.eye(3)
    head[:3, 3] = [40, 40, -60]
    model.head.kernel.assign(head)
    return model


def test_the_grid_game_finds_the_cell():
    model = confident_classifier()
    images, labels = tiny_data(200)
    shares = grid_report(model, images, labels, 2, mosaics=6)
    assert list(shares) == [f"gated_{name}" for name in MAPS] + MAPS + [
        "chance"
    ]
    assert shares["chance"] == 0.25
    assert shares["cam"] > 0.3
    assert shares == grid_report(model, images, labels, 2, mosaics=6)
    assert grid_report(model, images, labels, 3) is None


def test_a_backbone_of_one_size_gets_smaller_mosaics(monkeypatch):
    def refuse(*args):
        raise ValueError("one size only")

    monkeypatch.setattr(
        "keras_csg.evaluation.grid_pointing.clone_classifier", refuse
    )
    model, (images, labels) = confident_classifier(), tiny_data(200)
    shares = grid_report(model, images, labels, 2, mosaics=6)
    assert shares["cam"] > 0.3
