import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from keras_csg import build
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader
from keras_csg.evaluation import evaluate_classification, head_of
from keras_csg.evaluation.multi_label import (
    multi_label_figures,
    multi_label_gate_figures,
)
from keras_csg.metrics import Head
from tests.models.test_multi_label import several_data
from tests.tiny import CLASSES, tiny_backbone


@pytest.fixture(scope="module")
def split():
    images, labels = several_data()
    return IndexedSplit(
        cached_reader(images.astype("uint8")),
        labels,
        np.arange(len(labels)),
        CLASSES,
        images.shape[1:],
        cached=True,
    )


def test_figures_by_hand():
    """A filter for each class, and one that is never active."""
    labels = np.random.default_rng(0).integers(0, 2, (400, 3))
    features = np.hstack([labels, np.zeros((400, 1))])
    gate = np.eye(3, 4)
    gate[0, 3] = 1
    head = Head(4 * gate.T, np.full(3, -2.0), gate)
    figures = multi_label_figures(features, labels, head)
    assert figures["mean_average_precision"] == 1
    assert figures["class_average_precision"] == [1, 1, 1]
    assert figures["class_f1"] == [1, 1, 1] and figures["macro_f1"] == 1
    assert figures["exact_match"] == 1
    assert figures["labels_per_example"] == labels.sum() / 400
    assert figures["class_support"] == labels.sum(axis=0).tolist()
    assert figures["dead_filters"] == 1
    assert figures["class_agreement"] == 0.75
    entropy = np.log(2)
    assert figures["class_mis"][1:] == pytest.approx([entropy] * 2, abs=0.02)
    assert figures["class_mis"][0] == pytest.approx(entropy / 2, abs=0.02)
    assert figures["specificity"] == pytest.approx(0.75, abs=0.02)
    gated = multi_label_gate_figures(features, labels, head)
    assert gated["class_specific_mean_average_precision"] == 1
    assert gated["class_specific_class_average_precision"] == [1, 1, 1]
    assert gated["gated_mean_average_precision"] == 1
    # Nothing is left but the bias, and all images are told alike.
    chance = pytest.approx(labels.mean(), abs=0.02)
    assert gated["complement_mean_average_precision"] == chance
    assert gated["complement_probability"] == pytest.approx(1 / (1 + np.e**2))
    assert gated["shuffled_class_specific_mean_average_precision"] == chance
    assert gated["filters_per_class"] == [2, 1, 1]
    assert gated["l1_density"] == pytest.approx(1 / 3)


def test_what_nothing_has_is_undefined():
    head = Head(np.eye(2), np.zeros(2), np.eye(2))
    labels = np.array([[1, 0], [0, 0], [1, 0]])
    features = np.random.default_rng(0).random((3, 2))
    figures = multi_label_figures(features, labels, head)
    assert figures["class_average_precision"][1] is None
    assert figures["class_recall"][1] is None
    assert figures["mean_average_precision"] is not None
    assert json.dumps(multi_label_gate_figures(features, labels, head))


@pytest.mark.parametrize("gated", [True, False])
def test_a_network_is_measured(split, gated):
    model = build(tiny_backbone(24), CLASSES, gated=gated, multi_label=True)
    result = evaluate_classification(model, split, mis_variant="picnn")
    figures, ablation, confusion = result
    assert json.dumps(figures)
    assert confusion is None and (ablation is not None) == gated
    assert "mis_picnn" in figures and "accuracy" not in figures
    images, labels = split.images_and_labels()
    logits = model.predict(images, verbose=0)
    expected = average_precision_score(labels, logits)
    assert figures["mean_average_precision"] == pytest.approx(expected)
    f1 = f1_score(labels, logits >= 0, average="macro", zero_division=0)
    assert figures["macro_f1"] == pytest.approx(f1)
    if not gated:
        assert "class_specific_mean_average_precision" not in figures
        return
    specific = model.class_specific_logits(model.features(images))
    expected = average_precision_score(labels, np.asarray(specific))
    assert figures["class_specific_mean_average_precision"] == pytest.approx(
        expected
    )
    assert ablation.removed.shape == (CLASSES, CLASSES)
    assert head_of(model).num_classes == CLASSES
    for name in ("removed_own_average_precision", "kept_own_recall"):
        assert 0 <= figures[name] <= 1
