import numpy as np
import pytest

from keras_csg.evaluation.edit_figures import (
    edit_figures,
    left_samples,
    masked,
    recall_by_class,
)
from keras_csg.evaluation.telling_filters import telling_filters

NAMES = ["ant", "bee", "cow"]
LABELS = np.array([0, 0, 1, 1, 2])
# The first ant is taken for a cow, and without cows for what it is.
BEFORE = np.array(
    [[2.0, 1, 3], [5, 0, 0], [0, 4, 1], [1, 2, 0], [0, 0, 1]], "float32"
)
# Without the cow: the second bee is taken for an ant.
AFTER = np.array([[2.0, 1], [5, 0], [0, 4], [3, 2], [0, 1]], "float32")


def test_each_class_has_its_recalls_beside_each_other():
    figures = edit_figures(NAMES, LABELS, BEFORE, AFTER, [2])
    rows = [
        ("ant", 2, 0.5, 1.0, 1.0),
        ("bee", 2, 1.0, 1.0, 0.5),
        ("cow", 1, 1.0, None, None),
    ]
    keys = ("class", "images", "before", "before_masked", "after")
    assert figures["classes"] == [dict(zip(keys, r, strict=True)) for r in rows]
    assert figures["mean_before"] == 0.75
    assert figures["mean_before_masked"] == 1.0
    assert figures["mean_after"] == 0.75
    assert figures["largest_drop"] == {"class": "bee", "drop": 0.5}


def test_without_a_removed_class_nothing_is_masked():
    figures = edit_figures(NAMES, LABELS, BEFORE, BEFORE)
    for row in figures["classes"]:
        assert row["before"] == row["before_masked"] == row["after"]
    assert figures["largest_drop"]["drop"] == 0


def test_a_class_without_images_has_no_recall():
    figures = edit_figures(NAMES, LABELS[:4], BEFORE[:4], AFTER[:4], [1])
    assert figures["classes"][2]["after"] is None
    assert figures["mean_after"] is not None


def test_several_classes_an_image_are_told_by_their_probability():
    labels = np.array([[1, 0], [1, 1]])
    logits = np.array([[0.1, 3.0], [-0.1, 2.0]])
    np.testing.assert_allclose(recall_by_class(labels, logits), [0.5, 1.0])
    figures = edit_figures(["a", "b"], labels, logits, logits)
    assert [row["images"] for row in figures["classes"]] == [2, 1]


def test_masked_logits_are_a_copy():
    assert masked(BEFORE, [2]).argmax(axis=1).tolist() == [0, 0, 1, 1, 0]
    assert BEFORE[0, 2] == 3


def test_samples_of_the_left_classes_are_numbered_anew():
    here, labels = left_samples(LABELS, [0, 2])
    assert here.tolist() == [True, True, False, False, True]
    assert labels.tolist() == [0, 0, 1]
    here, labels = left_samples(np.array([[1, 0, 1], [0, 1, 0]]), [0, 2])
    assert here.all() and labels.tolist() == [[1, 1], [0, 0]]


def test_the_telling_filters_are_those_that_know_the_class():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 60)
    features = rng.normal(size=(180, 4))
    features[:, 2] += 4 * (labels == 1)
    features[:, 0] += 2 * (labels == 1)
    features[:, 3] += 6 * (labels == 2)
    found = telling_filters(features, labels, [1], 2, num_classes=3)
    assert found.tolist() == [2, 0]
    both = telling_filters(features, labels, [1, 2], 2, num_classes=3)
    assert sorted(both) == [2, 3]
    none = telling_filters(features, labels, [1], 0, num_classes=3)
    assert none.tolist() == []


def test_a_drop_below_zero_says_that_every_class_gained():
    after = masked(BEFORE, [2])[:, :2]
    figures = edit_figures(NAMES, LABELS, BEFORE, after, [2])
    assert figures["largest_drop"]["drop"] == pytest.approx(0)
