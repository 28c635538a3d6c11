import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.metrics.filter_localization import (
    filter_localization,
    filter_scores,
)
from keras_csg.metrics.localization import pointing_game
from keras_csg.metrics.resizing import resize_maps

THRESHOLDS = [0.5, 0.5]


@pytest.fixture
def halves():
    """Two images; filter 0 fires on the object, filter 1 beside it."""
    maps = np.zeros((2, 4, 4, 2), "float32")
    maps[0, :2, :, 0] = maps[0, 2:, :, 1] = 1
    maps[1, :, 2:, 0] = maps[1, :, :2, 1] = 1
    return maps, maps[..., 0] > 0


def test_overlaps_by_hand(halves):
    maps, masks = halves
    overlaps, hits = filter_scores(maps, masks, THRESHOLDS)
    assert_array_equal(overlaps, [[1, 0], [1, 0]])
    assert_array_equal(hits, [[1, 0], [1, 0]])


def test_scores_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    maps = np.maximum(rng.normal(size=(5, 4, 3, 6)), 0).astype("float32")
    masks = rng.random((5, 33, 25)) < 0.4
    thresholds = np.quantile(maps, 0.7, axis=(0, 1, 2))
    expected, pointed = np.zeros((5, 6)), np.zeros((5, 6))
    for n in range(5):
        for k in range(6):
            resized = resize_maps(maps[n, :, :, k], (33, 25))
            marked = resized >= thresholds[k]
            both, either = marked & masks[n], marked | masks[n]
            expected[n, k] = both.sum() / either.sum()
            pointed[n, k] = pointing_game(resized, masks[n])
    overlaps, hits = filter_scores(maps, masks, thresholds)
    assert overlaps.dtype == hits.dtype == np.float32
    assert_allclose(hits, pointed, atol=1e-6)
    assert_allclose(overlaps, expected, atol=0.01)


def test_a_filter_takes_its_best_class(halves):
    maps, masks = halves
    # Filter 0 points at the object in class 0 alone, filter 1 in class 1.
    maps[1] = maps[1, :, :, ::-1]
    every = np.ones((3, 2), bool)
    labels = np.array([0, 1])
    found = filter_localization(maps, labels, masks, THRESHOLDS, every)
    assert_array_equal(found.classes, [0, 1])
    for name in ("iou", "ap20", "ap30", "pointing_game"):
        assert_array_equal(getattr(found, name), [1, 1])
        assert found.figures()[name] == 1
    # The gate gives them to the other class.
    swapped = np.array([[False, True], [True, False], [False, False]])
    found = filter_localization(maps, labels, masks, THRESHOLDS, swapped)
    assert_array_equal(found.classes, [1, 0])
    assert_array_equal(found.iou, [0, 0])


def test_a_filter_without_a_class_that_has_images_does_not_count(halves):
    maps, masks = halves
    candidates = np.array([[True, False], [False, True]])
    labels = np.array([0, 0])
    found = filter_localization(maps, labels, masks, THRESHOLDS, candidates)
    assert_array_equal(found.iou, [1, np.nan])
    assert found.figures()["iou"] == 1


def test_means_are_over_the_images_of_the_class():
    maps = np.zeros((3, 2, 2, 1), "float32")
    maps[:, 0, 0] = 1
    masks = np.zeros((3, 2, 2), bool)
    masks[0, 0, 0] = masks[1, 0] = masks[2, 1] = True  # 1, 1/2, 0
    found = filter_localization(
        maps, np.array([0, 0, 0]), masks, [0.5], np.ones((1, 1), bool)
    )
    assert_allclose(found.iou, [0.5])
    assert_allclose(found.ap30, [2 / 3])
    assert_allclose(found.pointing_game, [2 / 3])


def test_a_constant_map_points_nowhere():
    maps = np.ones((1, 2, 2, 1), "float32")
    masks = np.ones((1, 4, 4), bool)
    overlaps, hits = filter_scores(maps, masks, [0.5])
    assert overlaps == hits == 0


def test_highest_places_share_a_hit():
    """Two cells are equally high, and one of them is on the object."""
    maps = np.zeros((1, 4, 4, 1), "float32")
    maps[0, 0, 0] = maps[0, 3, 3] = 1
    masks = np.zeros((1, 4, 4), bool)
    masks[0, :2] = True
    _, hits = filter_scores(maps, masks, [0.5])
    assert hits == 0.5


def test_of_equal_classes_the_first_is_taken():
    """Both classes are found in all images, the second better."""
    maps = np.zeros((2, 4, 4, 1), "float32")
    maps[:, :2] = 1
    masks = np.zeros((2, 4, 4), bool)
    masks[0, :, :2] = masks[1, :2] = True
    every = np.ones((2, 1), bool)
    found = filter_localization(maps, np.array([0, 1]), masks, [0.5], every)
    assert found.ap30 == 1 and found.classes == 0
    assert_allclose(found.iou, [1 / 3])


def test_what_does_not_fit_is_named(halves):
    maps, masks = halves
    with pytest.raises(ValueError, match=r"masks.shape=\(1, 4, 4\)"):
        filter_scores(maps, masks[:1], THRESHOLDS)
    masks[0] = False
    with pytest.raises(ValueError, match="Received: 1 empty masks"):
        filter_scores(maps, masks, THRESHOLDS)
