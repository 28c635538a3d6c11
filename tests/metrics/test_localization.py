import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.metrics.localization import (
    intersection_over_union,
    localization_figures,
    pointing_game,
    precision_at,
    top_pixels,
)
from keras_csg.metrics.localization_baselines import (
    baseline_figures,
    center,
    centered_square,
    whole_image,
)


def square(y0, x0, y1, x1, size=(10, 10)):
    mask = np.zeros(size, bool)
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize(
    "predicted, mask, expected",
    [
        (square(0, 0, 4, 4), square(0, 0, 4, 4), 1),
        (square(0, 0, 4, 4), square(4, 4, 8, 8), 0),
        (square(0, 0, 4, 4), square(0, 2, 4, 6), 8 / 24),
        (square(0, 0, 10, 10), square(0, 0, 5, 10), 0.5),
        (square(0, 0, 0, 0), square(0, 0, 5, 10), 0),
        (square(0, 0, 4, 4), square(0, 0, 0, 0), np.nan),
        (square(0, 0, 0, 0), square(0, 0, 0, 0), np.nan),
    ],
)
def test_overlap_by_hand(predicted, mask, expected):
    assert_allclose(intersection_over_union(predicted, mask), expected)


@pytest.mark.parametrize("size", [(8, 8), (5, 7), (1, 1), (128, 128), (9, 65)])
def test_overlap_of_any_size_is_that_of_plain_counting(size):
    rng = np.random.default_rng(0)
    predicted = rng.random((3, 4, *size)) < 0.5
    masks = rng.random((3, 1, *size)) < 0.5
    masks[..., 0, 0] = True
    expected = (predicted & masks).sum((2, 3)) / (predicted | masks).sum((2, 3))
    overlap = intersection_over_union(predicted, masks)
    assert overlap.shape == (3, 4)
    assert_allclose(overlap, expected)


def test_top_pixels_are_the_share():
    rng = np.random.default_rng(0)
    maps = rng.permutation(np.arange(200.0)).reshape(2, 10, 10)
    marked = top_pixels(maps, 0.3)
    assert_array_equal(marked.sum(axis=(1, 2)), 30)
    for one, of in zip(maps, marked, strict=True):
        assert one[of].min() > one[~of].max()


def test_pixels_as_high_as_the_lowest_are_marked_too():
    maps = np.zeros((10, 10))
    maps[:4] = 1
    assert_array_equal(top_pixels(maps, 0.3), maps == 1)


def test_a_constant_map_points_nowhere():
    maps, mask = np.full((2, 10, 10), 3.0), square(0, 0, 10, 10)
    assert not top_pixels(maps).any()
    assert_array_equal(intersection_over_union(top_pixels(maps), mask), 0)
    assert_array_equal(pointing_game(maps, mask), 0)


def test_pointing_game_by_hand():
    maps = np.zeros((4, 10, 10))
    maps[0, 2, 3] = 1
    maps[1, 7, 3] = 1
    maps[2, 2, 3] = maps[2, 7, 3] = 1
    maps[3, 2, 3] = 1
    masks = np.stack([square(0, 0, 5, 5)] * 3 + [square(0, 0, 0, 0)])
    assert_array_equal(pointing_game(maps, masks), [1, 0, 0.5, np.nan])


def test_figures_by_hand():
    overlaps = np.array([0.1, 0.2, 0.3, 0.6, np.nan])
    hits = np.array([1.0, 0.0, 1.0, 0.5, np.nan])
    assert localization_figures(overlaps, hits) == pytest.approx(
        {"iou": 0.3, "ap20": 0.75, "ap30": 0.25, "pointing_game": 0.625}
    )


def test_precision_without_an_overlap_is_not_defined():
    assert np.isnan(precision_at([np.nan], 0.2))
    assert precision_at([0.2], 0.2) == 1
    assert precision_at([0.2], 0.2, strict=True) == 0


def test_baselines_by_hand():
    masks = np.stack([square(0, 0, 5, 10), square(2, 2, 8, 8)])
    figures = baseline_figures(masks)
    assert figures["whole_image"] == pytest.approx(
        {
            "iou": (0.5 + 0.36) / 2,
            "ap20": 1,
            "ap30": 1,
            "pointing_game": (0.5 + 0.36) / 2,
        }
    )
    region = centered_square((10, 10))
    assert_array_equal(region, square(1, 1, 9, 9))
    assert figures["centered_square"]["iou"] == pytest.approx(
        (32 / (64 + 50 - 32) + 36 / 64) / 2
    )
    assert figures["centered_square"]["pointing_game"] == pytest.approx(
        (32 / 64 + 36 / 64) / 2
    )
    assert_array_equal(center((10, 9)), square(4, 4, 6, 5)[:, :9])
    assert figures["center"]["pointing_game"] == pytest.approx((0.5 + 1) / 2)


@pytest.mark.parametrize("size", [(128, 128), (100, 60)])
def test_the_centred_square_has_half_the_area(size):
    assert abs(centered_square(size).mean() - 0.5) < 0.02
    assert whole_image(size).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: top_pixels(np.ones((4, 4)), 0), "share=0"),
        (lambda: top_pixels(np.ones(4)), r"maps.shape=\(4,\)"),
        (lambda: top_pixels(np.full((4, 4), np.nan)), "NaN"),
        (
            lambda: intersection_over_union(np.ones((4, 4)), np.ones((4, 4))),
            "dtype=float64",
        ),
        (
            lambda: intersection_over_union(
                np.ones((4, 4), bool), np.ones((40, 4), bool)
            ),
            "one height and width",
        ),
        (
            lambda: pointing_game(np.ones((4, 4)), np.ones((4, 5), bool)),
            r"masks.shape=\(4, 5\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
