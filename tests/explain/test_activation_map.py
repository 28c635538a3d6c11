import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.explain import activation_map
from keras_csg.explain.activation_map import activation_thresholds
from keras_csg.metrics.resizing import resize_maps
from tests.explain.hand_made import channel_classifier, image_of_cells

RED = [[4.0, 0.0], [0.0, 0.0]]
GREEN = [[0.0, 9.0], [0.0, 0.0]]
BLUE = [[0.0, 0.0], [0.0, 5.0]]


@pytest.mark.parametrize(
    "gated, label, cells",
    [(True, 0, RED), (True, 1, GREEN), (False, 0, GREEN)],
)
def test_the_map_is_that_of_the_most_active_filter(gated, label, cells):
    model = channel_classifier()
    image = image_of_cells(RED, GREEN, BLUE)
    maps = activation_map(model, image, np.array([label]), gated=gated)
    assert_allclose(maps, resize_maps([cells], (4, 4)), atol=1e-6)


def test_a_class_without_filters_has_a_map_of_zeros():
    model = channel_classifier()
    model.gate.gate_matrix.assign(np.array([[0, 0, 0], [1, 1, 1]]))
    image = image_of_cells(RED, GREEN, BLUE)
    assert_array_equal(activation_map(model, image, np.array([0])), 0)


def test_thresholds_are_reached_by_the_share():
    rng = np.random.default_rng(0)
    maps = rng.permutation(100.0 * np.arange(1, 1001)).reshape(10, 10, 10, 1)
    maps = np.concatenate([maps, -maps], axis=-1)
    thresholds = activation_thresholds(maps, 0.3)
    assert_array_equal((maps >= thresholds).mean(axis=(0, 1, 2)), 0.3)
    assert_array_equal(thresholds, [70_100, -30_000])


@pytest.mark.parametrize("share", [0, -1, 1.5])
def test_the_share_must_be_one(share):
    with pytest.raises(ValueError, match=f"Received: share={share}"):
        activation_thresholds(np.ones((1, 2, 2, 1)), share)
