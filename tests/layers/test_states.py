import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.layers.states import derive_state, fresh_copy, take_state
from tests.adapted import FRONTS, Inside, integer_lookup, some_images


def built(layer):
    layer(some_images())
    return layer


@pytest.mark.parametrize("name", FRONTS)
def test_a_copy_computes_as_its_original(name):
    original = built(FRONTS[name]())
    copy = built(fresh_copy(original))
    take_state(copy, original)
    assert copy.name == original.name
    assert_array_equal(copy(some_images()), original(some_images()))


def test_a_vocabulary_comes_along():
    original = integer_lookup()
    copy = fresh_copy(original)
    numbers = np.arange(0, 256, 4)
    take_state(copy, original)
    assert_array_equal(original(numbers), np.arange(64, 0, -1))
    assert_array_equal(copy(numbers), original(numbers))


def test_what_is_derived_follows_weights_that_were_assigned():
    layer = built(keras.layers.Normalization())
    mean, variance, _ = layer.weights
    mean.assign([10.0, 20, 30])
    variance.assign([4.0, 4, 4])
    pixel = np.full((1, 8, 8, 3), 30, "float32")
    assert_allclose(layer(pixel)[0, 0, 0], [30, 30, 30])
    derive_state(layer)
    assert_allclose(layer(pixel)[0, 0, 0], [10, 5, 0])


def test_buckets_are_kept_when_what_is_derived_is_computed_anew():
    layer = FRONTS["buckets"]()
    before = layer.bin_boundaries
    derive_state(layer)
    assert layer.bin_boundaries == before


def test_a_layer_of_another_class_takes_the_weights_in_their_order():
    original = keras.layers.Conv2D(4, 3, groups=4, use_bias=False)
    original(np.ones((1, 5, 5, 4)))
    other = keras.layers.DepthwiseConv2D(3, use_bias=False)
    other(np.ones((1, 5, 5, 4)))
    take_state(other, original)
    assert_array_equal(
        np.ravel(other.get_weights()[0]), np.ravel(original.get_weights()[0])
    )


def test_weights_of_another_size_are_refused():
    one, other = keras.layers.Dense(2), keras.layers.Dense(3)
    one(np.ones((1, 4))), other(np.ones((1, 4)))
    with pytest.raises(ValueError, match="reshape"):
        take_state(one, other)


def test_a_copy_of_a_layer_without_a_configuration_keeps_its_name():
    assert fresh_copy(Inside(name="mine")).name == "mine"
