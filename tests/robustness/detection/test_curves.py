import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.robustness.detection.curves import (
    fit_rank,
    fit_surprise,
    follow,
)
from keras_csg.robustness.detection.score import plain

HUNDRED = np.arange(101.0)


def at(curve, *places):
    return plain(follow(curve, np.array(places, "float32")))


def test_surprise_is_the_logarithm_of_the_share_that_is_higher():
    curve = fit_surprise(HUNDRED)
    assert_allclose(
        at(curve, -5, 0, 50, 90, 95), -np.log([1, 1, 0.5, 0.1, 0.05]), rtol=1e-3
    )


def test_surprise_goes_on_rising_beyond_what_was_seen():
    curve = fit_surprise(HUNDRED)
    last, later, far = at(curve, 99, 199, 1e6)
    assert last == pytest.approx(np.log(100), rel=0.01)
    assert later > last + 1
    assert far == pytest.approx((far - last) / (1e6 - 99) * 1e6, rel=0.01)


def test_a_rank_is_the_share_below_and_exact_at_the_threshold():
    curve = fit_rank(HUNDRED, 95.3, 0.05)
    ranks = at(curve, -3, 0, 25, 50, 95.3, 100, 1e9)
    assert_allclose(ranks, [0, 0, 0.25, 0.5, 0.95, 1, 1], atol=1e-6)


def test_scores_that_nearly_share_a_place_make_no_jump():
    """What another processor's last digit changes stays small."""
    crowded = np.sort(np.concatenate([HUNDRED, 50 + 1e-6 * HUNDRED]))
    curve = fit_rank(crowded, 95.3, 0.05)
    below, above = at(curve, 50, 50 + 1e-4)
    assert 0 <= above - below < 0.02
    assert at(curve, 95.3) == pytest.approx(0.95)


def test_half_precision_keeps_the_places():
    """As a file with half the digits has them; the thresholds above all."""
    scores = 1000 + 0.01 * HUNDRED
    whole = fit_rank(scores, scores[95], 0.05)
    half = whole.astype("float16").astype("float32")
    places = np.linspace(1000, 1001, 40)
    assert_allclose(at(half, *places), at(whole, *places), atol=3e-3)


def test_a_curve_of_before_has_whole_places():
    curve = fit_rank(HUNDRED, 95.3, 0.05)
    before = np.stack([curve[0] + curve[4], *curve[1:4]])
    assert_allclose(at(before, 3, 70, 99), at(curve, 3, 70, 99), atol=1e-6)


@pytest.mark.parametrize("scores", [np.zeros(40), np.repeat([0.0, 1.0], 20)])
def test_scores_that_are_alike_give_a_curve_that_never_falls(scores):
    for curve in (fit_rank(scores, scores.max(), 0.1), fit_surprise(scores)):
        heights = at(curve, *np.linspace(-1, 2, 301))
        assert np.isfinite(heights).all()
        assert (np.diff(heights) >= -1e-6).all()
