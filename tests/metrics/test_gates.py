import numpy as np
import pytest

from keras_csg import metrics
from keras_csg.layers.csg_gate import CSGGate, UnitMaxGate

# Filter 0 is of class 0, filter 1 of classes 0 and 1, filter 2 of class 2 and
# half of class 1.
GATE = np.array([[1, 1, 0], [0, 1, 0.5], [0.25, 0, 1]])


def test_density_is_the_mean_entry_and_the_layers():
    assert metrics.l1_density(GATE) == pytest.approx(4.75 / 9)
    layer = CSGGate(3)
    layer.build((None, 3))
    layer.gate_matrix.assign(GATE)
    assert metrics.l1_density(GATE) == pytest.approx(float(layer.l1_density()))


@pytest.mark.parametrize(
    ("density", "interval"),
    [
        (None, (0.25, 0.25)),
        (0.1, (0.25, 0.25)),
        (0.4, (0.25, 0.4)),
        (1, (0.25, 1)),
    ],
)
def test_the_interval_goes_from_one_class_a_filter_to_the_budget(
    density, interval
):
    assert metrics.l1_interval(4, density) == interval


def test_no_projected_gate_is_below_the_interval():
    """Nor can any be above the interval of the full budget."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        gate = np.array(UnitMaxGate()(rng.normal(size=(4, 5))))
        least, largest = metrics.l1_interval(4, 1.0)
        assert least <= metrics.l1_density(gate) <= largest
    assert metrics.l1_density(np.eye(4)) == metrics.l1_interval(4)[0]


@pytest.mark.parametrize("density", [0, -0.1, 1.1, float("nan")])
def test_a_budget_out_of_range_is_refused(density):
    with pytest.raises(ValueError, match=r"in \(0, 1\].*Received: density="):
        metrics.l1_interval(4, density)
    with pytest.raises(ValueError, match="num_classes=0"):
        metrics.l1_interval(0)


def test_a_filter_open_to_two_classes_counts_for_both():
    assert metrics.filters_per_class(GATE).tolist() == [2, 1, 1]
    assert metrics.own_filters(GATE).sum() == 4


def test_a_filter_is_shared_from_half_open_to_a_second_class():
    assert metrics.shared_filters(GATE).tolist() == [False, True, True]
    assert metrics.shared_filters(GATE, 0.6).tolist() == [False, True, False]


def test_a_filter_belongs_to_the_first_of_its_largest_classes():
    assert metrics.classes_of_filters(GATE).tolist() == [0, 0, 2]
    kernel = np.array([[-3.0, 1], [2, -5]])  # Signed weights: largest, not |.|.
    assert metrics.classes_of_filters(kernel.T).tolist() == [1, 0]


def test_a_filter_that_never_changes_is_dead():
    features = np.array([[0.0, 2, 1], [0, 2, 1], [0, 2, 3]])
    assert metrics.dead_filters(features).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (np.ones(3), "shape .classes, filters"),
        (np.ones((0, 3)), "shape .classes, filters"),
        (np.array([[1.0, -0.1]]), r"in \[0, 1\]"),
        (np.array([[1.0, 1.5]]), r"in \[0, 1\]"),
        (np.array([[1.0, np.nan]]), r"in \[0, 1\]"),
    ],
)
@pytest.mark.parametrize(
    "figure",
    [metrics.l1_density, metrics.filters_per_class, metrics.shared_filters],
)
def test_what_is_no_gate_is_refused(figure, gate, message):
    with pytest.raises(ValueError, match=f"{message}.*Received: gate_matrix"):
        figure(gate)
