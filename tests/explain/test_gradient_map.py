import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from keras_csg.explain import filter_gradient_maps, gradient_map
from keras_csg.explain.class_filters import top_filters
from keras_csg.explain.filter_gradients import FilterGradients, blur_gradients
from tests.explain.hand_made import channel_classifier
from tests.tiny import FILTERS, tiny_classifier, tiny_data


def test_gradients_are_those_of_differences():
    model = tiny_classifier()
    images = tiny_data(2)[0]
    norms = FilterGradients(model).norms(
        images, np.broadcast_to(np.eye(FILTERS), (2, FILTERS, FILTERS))
    )
    assert norms.shape == (2, FILTERS, 8, 8)
    step = 0.5
    for y, x in [(0, 0), (3, 5)]:
        gradient = []
        for channel in range(3):
            moved = np.repeat(images[None], 2, axis=0)
            moved[0, :, y, x, channel] += step
            moved[1, :, y, x, channel] -= step
            up, down = (np.asarray(model.features(m)) for m in moved)
            gradient.append((up - down) / (2 * step))
        expected = np.linalg.norm(gradient, axis=0)
        assert_allclose(norms[:, :, y, x], expected, rtol=0.05, atol=1e-6)


def test_each_image_gets_its_own_filters():
    model, images = tiny_classifier(), tiny_data(3)[0]
    filters = np.array([[0, 1], [2, 3], [4, 5]])
    together = filter_gradient_maps(model, images, filters, batch_size=2)
    assert together.shape == (3, 2, 8, 8)
    for number in range(3):
        one = slice(number, number + 1)
        alone = filter_gradient_maps(model, images[one], filters[one])
        assert_allclose(together[one], alone, atol=1e-5)


def test_the_blur_is_the_authors():
    norms = np.random.default_rng(0).random((2, 3, 32, 32)).astype("float32")
    rms = np.sqrt((norms**2).mean(axis=(2, 3), keepdims=True))
    expected = ndimage.gaussian_filter(
        norms / rms, (0, 0, 7.5, 7.5), mode="mirror", radius=(0, 0, 8, 8)
    )
    assert_allclose(blur_gradients(norms), expected, atol=1e-5)


def test_equal_gradients_are_one_everywhere_and_none_are_zero():
    norms = np.stack([np.full((8, 8), 3.0), np.zeros((8, 8))])
    blurred = blur_gradients(norms)
    assert_allclose(blurred[0], 1, atol=1e-6)
    assert_array_equal(blurred[1], 0)


def test_the_most_active_filters_of_a_class_are_chosen():
    features = np.array([[3.0, 1, 2], [3, 1, 2], [0, 9, 5]])
    labels = np.array([0, 0, 1])
    chosen, valid = top_filters(features, labels, np.ones((2, 3), bool), 2)
    assert_array_equal(chosen, [[0, 2], [1, 2]])
    assert valid.all()


def test_a_class_with_few_filters_of_its_own_uses_those():
    features = np.array([[3.0, 1, 2], [0, 9, 5]])
    candidates = np.array([[False, False, True], [True, True, False]])
    chosen, valid = top_filters(features, np.array([0, 1]), candidates, 30)
    assert chosen.shape == valid.shape == (2, 2)
    assert_array_equal(valid, [[True, False], [True, True]])
    assert chosen[0, 0] == 2 and chosen[1, 0] == 1


def test_a_class_without_filters_has_a_map_of_zeros():
    model = channel_classifier()
    model.gate.gate_matrix.assign([[0.0, 0.5, 0.0], [1.0, 1.0, 1.0]])
    images = np.random.default_rng(0).random((2, 4, 4, 3)).astype("float32")
    maps = gradient_map(model, images, np.array([0, 1]))
    assert_array_equal(maps[0], 0)
    assert maps[1].max() > 0


@pytest.mark.parametrize("gated", [True, False])
def test_the_map_is_the_mean_over_the_classes_filters(gated):
    model, (images, labels) = tiny_classifier(), tiny_data(4)
    maps = gradient_map(model, images, labels, gated=gated, filters=FILTERS)
    every = np.tile(np.arange(FILTERS), (4, 1))
    expected = filter_gradient_maps(model, images, every).mean(axis=1)
    assert_allclose(maps, expected, atol=1e-5)  # A new gate is open.
