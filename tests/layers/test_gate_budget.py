import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.layers.filter_shares import (
    owners,
    share_out,
    share_out_classes,
)
from keras_csg.layers.gate_budget import (
    GateBudget,
    default_density,
    open_gates,
)


def opened(scores, budget, rounds=1):
    sharpness = 0.0
    for _ in range(rounds):
        gate, sharpness = open_gates(
            ops.convert_to_tensor(scores, "float32"), budget, sharpness
        )
    return np.asarray(gate)


def by_bisection(scores, budget):
    """The same gate, each step of the definition by itself, in float64."""
    distance = scores.max(axis=0) - scores
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        gate = np.maximum(1 - distance * middle, 0)
        low, high = (middle, high) if gate.mean() > budget else (low, middle)
    return np.maximum(1 - distance * high, 0)


def closed(classes, filters, steps, *, density=None, signal=1.0, dead=0):
    """A gate after `steps` noisy gradients, and its densities by step."""
    rng = np.random.default_rng(0)
    gain = rng.normal(size=(classes, filters)) * signal
    gain *= np.exp(rng.normal(size=(1, filters)))  # Some filters matter more.
    gain[:, :dead] = 0
    budget = GateBudget(density)
    budget.build((classes, filters))
    budget.plan(max(steps // 2, 1))
    # As a training step has it; eagerly it takes ten times as long.
    update = tf.function(budget.update, autograph=False)
    gate = ops.ones((classes, filters))
    densities = []
    for _ in range(steps):
        noise = 3 * rng.normal(size=gain.shape) * (gain != 0)
        gradient = ops.convert_to_tensor(-gain + noise, "float32")
        gate = update(gate, gradient, ops.convert_to_tensor(True))
        densities.append(float(ops.mean(gate)))
    return np.asarray(gate), densities, budget


def test_a_gate_by_hand():
    """Beside the three filters' own entries stand distances of 1, 2 and 4.

    A budget of three quarters leaves 1.5 to them: 3 - 7 * sharpness.
    """
    scores = [[5.0, 1.0, 0.0], [4.0, 3.0, 4.0]]
    expected = [[1, 1 - 3 / 7, 1 - 6 / 7], [1 - 1.5 / 7, 1, 1]]
    assert_allclose(opened(scores, 0.75, rounds=3), expected, atol=1e-5)


@pytest.mark.parametrize("budget", [0.9, 0.5, 0.2, 0.11, 0.101])
def test_the_budget_is_met_as_by_bisection(budget):
    scores = np.random.default_rng(1).standard_t(2, (10, 64))
    gate = opened(scores, budget, rounds=4)
    assert_allclose(gate, by_bisection(scores, budget), atol=1e-4)
    assert gate.mean() == pytest.approx(budget, rel=1e-4)


def test_the_scale_of_the_scores_does_not_matter():
    scores = np.random.default_rng(2).normal(size=(5, 8))
    wanted = opened(scores, 0.4, rounds=4)
    for scale in (1e-6, 1e6):
        assert_allclose(opened(scores * scale, 0.4, 4), wanted, atol=1e-4)


def test_a_filter_that_never_told_anything_is_one_classs_own():
    scores = np.zeros((3, 6))
    assert_array_equal(np.bincount(owners(scores)), [2, 2, 2])
    assert_array_equal(opened(scores, 0.9).sum(axis=0), 1)


@pytest.mark.parametrize(
    "steps", [2, 12, pytest.param(60, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("classes", "filters"),
    [(2, 16), (10, 64), (10, 256), (100, 128), (50, 50), (40, 16), (100, 64)],
)
def test_every_class_is_served_and_the_density_reached(classes, filters, steps):
    gate, densities, _ = closed(classes, filters, steps)
    target = default_density(classes, filters)
    assert gate.mean() <= 1.001 * target or steps < 10
    assert_array_equal(gate.max(axis=0), 1)
    assert (gate == 1).any(axis=1).all()
    way = np.minimum(np.arange(1, steps + 1) / max(steps // 2, 1), 1)
    budgets = target + (1 - target) * (1 - way) ** 3
    # Until they are shared out, filters and classes without one have one more.
    shared = 1 / filters if filters < 2 * classes else 0
    assert (densities <= 1.02 * budgets + shared).all() or steps < 10
    if filters >= 2 * classes and steps >= 12:
        least = max(filters // (2 * classes), 1)
        assert (gate == 1).sum(axis=1).min() >= least


@pytest.mark.parametrize("density", [0.2, 0.3, 0.7, 1.0])
def test_any_density_above_the_least_is_reached(density):
    gate, _, budget = closed(10, 64, 60, density=density)
    assert gate.mean() == pytest.approx(density, rel=1e-3)
    assert float(budget.settled) == 1


@pytest.mark.parametrize(("classes", "filters"), [(40, 16), (100, 64), (9, 8)])
def test_few_filters_close_to_one_for_each_class(classes, filters):
    gate, *_ = closed(classes, filters, 40, density=1 / filters)
    assert_array_equal(gate.sum(axis=1), 1)
    assert_array_equal(gate.max(axis=0), 1)


def test_few_filters_that_are_dead_are_nobodys_choice():
    gate, *_ = closed(40, 16, 60, dead=4, density=1 / 16)
    assert_array_equal((gate[:, 4:] == 1).sum(axis=1), 1)
    assert (gate[:, 4:] == 1).any(axis=0).all()
    assert_array_equal(gate[:, :4].sum(axis=0), 1)


def test_classes_choose_among_few_filters_by_hand():
    """Each where it leads most; one goes to the filter that nobody has."""
    scores = np.array(
        [
            [9.0, 4.0, 1.0],
            [8.0, 1.0, 0.5],
            [1.0, 5.0, 0.0],
            [0.0, 3.0, 2.0],
        ],
        "float32",
    )
    first = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert_array_equal(opened(scores, 1 / 3), first)
    # Class 2 leads in two filters now, more in the third, of which class 3
    # falls least short, so that nobody has the second: its best is kept, too.
    scores[2], scores[3] = [1.0, 5.0, 4.0], [0.0, 1.0, 0.5]
    before = [[1, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert_array_equal(opened(scores, 1 / 3), before)
    raised, lacking = share_out_classes(ops.convert_to_tensor(scores))
    assert float(lacking) == 1
    # To go there costs class 0 two, 1 three, 2 two, and class 3 half.
    after = [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert_array_equal(opened(raised, 1 / 3), after)
    assert float(share_out_classes(raised)[1]) == 0


def test_dead_filters_do_not_keep_the_others_open():
    gate, densities, budget = closed(10, 64, 60, dead=30)
    assert gate.mean() == pytest.approx(0.1)
    assert float(budget.settled) == 1
    live = gate[:, 30:]
    assert (live == 1).sum(axis=1).min() >= 1
    # Those that tell something are open as long as the budget has it.
    assert densities[5] == pytest.approx(0.1 + 0.9 * 0.8**3, rel=1e-2)


def test_the_gate_follows_the_gains():
    gate, *_ = closed(10, 64, 400, signal=2.0)
    rng = np.random.default_rng(0)
    gain = rng.normal(size=(10, 64)) * 2
    named = gain.argmax(axis=0) == gate.argmax(axis=0)
    assert named.mean() > 0.8


def test_a_class_without_filters_takes_the_nearest_from_who_has_many():
    """Class 2 has none; filter 3 costs it 1, the least, and class 0 has two."""
    scores = np.array([[9.0, 0, 0, 5], [0, 9, 9, 0], [1, 0, 2, 4]])
    raised, lacking = share_out(ops.convert_to_tensor(scores, "float32"), 1)
    assert float(lacking) == 1
    assert_array_equal(owners(raised), [0, 1, 1, 2])
    again, lacking = share_out(raised, 1)
    assert float(lacking) == 0
    assert_array_equal(again, raised)


def test_nobody_gives_away_what_it_needs():
    scores = np.array([[9.0, 8], [7, 1], [6, 7]])  # More classes than filters.
    raised, _ = share_out(ops.convert_to_tensor(scores, "float32"), 1)
    assert set(np.asarray(owners(raised))) == {0, 2}


def test_a_step_that_overflowed_counts_for_nothing():
    budget = GateBudget()
    budget.build((3, 4))
    budget.plan(5)
    gate = ops.ones((3, 4))
    bad = ops.full((3, 4), float("inf"))
    kept = budget.update(gate, bad, ops.convert_to_tensor(True))
    assert_array_equal(kept, gate)
    assert int(budget.updates) == 0
    assert_array_equal(budget.scores, np.zeros((3, 4)))


def test_a_large_gate_is_looked_for_in_some_steps_only():
    rng = np.random.default_rng(0)
    budget = GateBudget()
    budget.build((10, 64))
    assert budget.every == 1
    budget.every = 4  # As that of a gate four times the size of a step's.
    budget.plan(10)
    gate = ops.ones((10, 64))
    changed = []
    for _ in range(14):
        gradient = ops.convert_to_tensor(rng.normal(size=(10, 64)), "float32")
        moved = budget.update(gate, gradient, ops.convert_to_tensor(True))
        changed.append(bool(ops.any(moved != gate)))
        gate = moved
    # In the 4th and 8th step, and in the 10th, in which it has to be closed.
    assert [n for n, flag in enumerate(changed, 1) if flag] == [4, 8, 10]
    assert float(ops.mean(gate)) == pytest.approx(0.1)
