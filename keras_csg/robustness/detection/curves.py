"""Rising curves of straight pieces, learned from clean images' scores.

Sums of pieces that each rise between two places and are flat elsewhere:
nothing that an exported graph lacks, differentiable, and no digit is lost far
beyond what clean images reach.
"""

from typing import Any

import numpy as np
from keras import ops

SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Shares of the clean images between which the surprise is straight."""
KNOTS = 65
"""Places between which the rank is straight."""
NARROWEST = 2e-3
"""Share of where clean scores lie within which a rank may not jump.

Scores of few images may share a place by chance: what another processor's last
digit makes of such a place has to stay small.
"""
UNBOUNDED = 1e30
RANK_SLACK = 2e-3
"""What places in float32 make of the rank of the threshold, at most."""
RESTS = 4
"""Row of a curve with the second parts of its places."""


def fit_surprise(scores: np.ndarray) -> np.ndarray:
    """Learns how surprising a score is: `-log` of the share of higher ones.

    Beyond what clean images reach it goes on as it last rose.

    Args:
        scores: array `(samples,)`, of clean images.

    Returns:
        float32 array `(5, pieces)`: where each begins, how wide it is, how far
        it rises, and up to how many widths it does; and what has to be added
        to the first, which half precision has no digits for.
    """
    # Of few images the last quantiles are all the largest one.
    shares = [s for s in SHARES if 1 - s >= 1 / (len(scores) + 1)]
    places = np.quantile(scores, shares)
    places += _least(places) * np.arange(len(places))
    heights = -np.log1p(-np.array(shares))
    pieces = _pieces(places, heights, _least(places))
    width = max(places[-1] - places[-3:][0], _least(places))
    rise = heights[-1] - heights[-3:][0]
    tail = [[places[-1]], [width], [rise], [UNBOUNDED]]
    return _in_two_parts(np.concatenate([pieces, tail], axis=1))


def fit_rank(scores: np.ndarray, threshold: float, rate: float) -> np.ndarray:
    """Learns which share of clean images are less strange, 0..1.

    Args:
        scores: array `(samples,)`, of clean images.
        threshold: float. The score that stands for a share of `1 - rate`.
        rate: float. False alarms.

    Returns:
        float32 array, as `fit_surprise`.
    """
    shares = np.linspace(0, 1, KNOTS)
    places = np.quantile(scores, shares)
    usual = places[-2] - places[1]  # Without the farthest.
    least = max(NARROWEST * usual, _least([*places, threshold]))
    low, high = shares < 1 - rate, shares > 1 - rate
    steps = least * np.arange(1, KNOTS + 1)
    # The threshold stays where it is; what would share its place gives way.
    below = np.minimum(places[low], threshold - steps[: low.sum()][::-1])
    above = np.maximum(places[high], threshold + steps[: high.sum()])
    return _in_two_parts(
        _pieces(
            np.concatenate([below, [threshold], above]),
            np.concatenate([shares[low], [1 - rate], shares[high]]),
            least,
        )
    )


def follow(curve: Any, scores: Any) -> Any:
    """Returns the height of a curve at each score, `(samples,)`."""
    apart = scores[:, None] - curve[0]
    if curve.shape[0] > RESTS:  # Detectors of before have none.
        apart = apart - curve[RESTS]
    along = ops.relu(apart / curve[1])
    return ops.sum(curve[2] * ops.minimum(along, curve[3]), axis=-1)


def check_rank(curve: np.ndarray, threshold: float, rate: float) -> None:
    """Refuses a threshold that is not where a rank has its rate.

    Args:
        curve: what `fit_rank` returned.
        threshold: float. What it was given.
        rate: float. False alarms, as well.

    Raises:
        ValueError: if the curve has another height there.
    """
    curve = np.asarray(curve, "float64")
    if curve.ndim != 2 or len(curve) not in (RESTS, RESTS + 1):
        raise ValueError("`rank` is no curve")
    height = ops.convert_to_numpy(follow(curve, np.array([threshold])))[0]
    if not abs(height - (1 - rate)) <= RANK_SLACK:
        raise ValueError(
            f"{height:.4g} of the clean images are below the threshold "
            f"{threshold:.4g}, and with the false-alarm rate {rate:g} "
            f"{1 - rate:.4g} must be"
        )


def _pieces(places, heights, least):
    widths = np.maximum(np.diff(places), least)
    return np.stack(
        [places[:-1], widths, np.diff(heights), np.ones(len(widths))]
    )


def _in_two_parts(curve):
    """Appends what a file in half precision would lose of the places."""
    places = curve[0]
    with np.errstate(over="ignore"):
        halves = places.astype("float16").astype("float64")
    halves = np.where(np.isfinite(halves), halves, places)
    parts = [halves, *curve[1:], places - halves]
    return np.stack(parts).astype("float32")


def _least(places):
    """Returns a distance that float32 can still tell at such places."""
    return max(float(np.abs(places).max()) * 1e-6, 1e-9)
