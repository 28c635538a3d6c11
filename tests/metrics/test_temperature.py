"""The temperature beside a closed form and a search over a grid."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from keras_csg.metrics import fit_temperature

GRID = np.exp(np.linspace(np.log(0.1), np.log(10), 4001))


def samples(count=400, classes=5, sharpness=1.0, seed=0):
    """Labels drawn by what the logits say, once they are divided."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, classes))
    noise = rng.gumbel(size=logits.shape)
    return (logits * sharpness).astype("float32"), (logits + noise).argmax(1)


def test_the_likeliest_is_that_of_the_closed_form():
    """Right three times in four: logits 2 / T must be the log of three."""
    logits, labels = np.array([[2.0, 0.0]] * 4), np.array([0, 1, 0, 0])
    assert fit_temperature(logits, labels) == pytest.approx(
        2 / np.log(3), rel=1e-3
    )


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_it_is_the_best_of_a_grid(sharpness):
    logits, labels = samples(sharpness=sharpness)
    rows = np.arange(len(labels)), labels
    losses = [
        -log_softmax(np.float64(logits) / t, axis=1)[rows].mean() for t in GRID
    ]
    best = GRID[np.argmin(losses)]
    assert fit_temperature(logits, labels) == pytest.approx(best, rel=2e-3)
    assert best == pytest.approx(sharpness, rel=0.2)  # As they were drawn.


def test_sigmoids_have_the_best_of_a_grid_too():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (300, 3))
    labels = (rng.uniform(size=logits.shape) < expit(logits)).astype("int32")
    given = np.float32(logits * 2.5)
    signs = np.where(labels, 1, -1)
    losses = [np.logaddexp(0, -signs * given / t).mean() for t in GRID]
    best = GRID[np.argmin(losses)]
    assert fit_temperature(given, labels) == pytest.approx(best, rel=2e-3)


def test_a_shift_of_all_logits_of_a_sample_is_no_matter():
    logits, labels = samples()
    shifts = np.linspace(-300, 300, len(labels), dtype="float32")[:, None]
    assert fit_temperature(logits + shifts, labels) == pytest.approx(
        fit_temperature(logits, labels), rel=1e-3
    )


def test_without_a_mistake_there_is_none():
    logits, _ = samples()
    with pytest.raises(ValueError, match="400 samples all are told right"):
        fit_temperature(logits, logits.argmax(1))


def test_below_chance_there_is_none():
    logits, _ = samples()
    with pytest.raises(ValueError, match="no class better than chance"):
        fit_temperature(logits, logits.argmin(1))


@pytest.mark.parametrize(
    "logits, labels, message",
    [
        (np.zeros((3, 2)), [0, 1], "`labels` must be 3 integers"),
        (np.zeros((3, 2)), [0, 1, 2], r"`labels` must be in \[0, 2\)"),
        (np.full((2, 2), np.nan), [0, 1], "`logits` must be finite"),
        (np.zeros((2, 2)), [[0, 1], [2, 0]], "`labels` must be 0 or 1"),
    ],
)
def test_odd_arguments_are_refused(logits, labels, message):
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, np.array(labels))
