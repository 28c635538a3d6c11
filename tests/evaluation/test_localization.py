import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.evaluation import evaluate_localization
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

    rows = evaluate_localization(model, annotated, batch_size=5, track=track)
    prefixes = ["gated_", ""] if gated else [""]
    assert list(rows) == [
        *(prefix + name for prefix in prefixes for name in MAPS),
        "whole_image",
        "centered_square",
        "center",
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
        maps = filter_gradient_maps(model, images[[n]], top[None])[0]
        # No pixel is so near to 1 that rounding decides whether it counts.
        assert np.abs(maps - 1).min() > 1e-5
        scores = [(m & mask).sum() / (m | mask).sum() for m in maps > 1]
        overlaps.append(np.mean(scores))
    overlaps = np.array(overlaps)
    assert np.abs(overlaps[:, None] - [0.2, 0.3]).min() > 1e-5
    rows = evaluate_localization(model, annotated, filters=2)
    row = rows["gated_gradient_map" if gated else "gradient_map"]
    assert_allclose(row["iou"], overlaps.mean(), rtol=1e-6)
    assert row["ap20"] == (overlaps >= 0.2).mean()
    assert row["ap30"] == (overlaps > 0.3).mean()
    assert 0 < row["ap30"] < 1


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision(annotated, policy):
    keras.config.set_dtype_policy(policy)
    rows = evaluate_localization(tiny_classifier(), annotated)
    assert np.isfinite([list(row.values()) for row in rows.values()]).all()


def test_an_open_gate_changes_nothing(annotated):
    rows = evaluate_localization(tiny_classifier(), annotated)
    for name in MAPS:
        assert rows[name] == pytest.approx(rows[f"gated_{name}"])
