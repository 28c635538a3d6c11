"""Batch normalization that keeps its statistics while it trains the rest."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.layers import (
    FrozenStatisticsBatchNormalization,
    freeze_statistics,
    fuse_batch_normalization,
)

SHAPE = (6, 5, 4, 3)


def random_images(seed=0):
    return np.random.default_rng(seed).normal(3, 2, SHAPE).astype("float32")


def small_cnn():
    inputs = keras.Input(SHAPE[1:])
    x = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    nested = keras.Sequential(
        [keras.Input(x.shape[1:]), keras.layers.BatchNormalization()],
        name="nested",
    )
    x = keras.layers.GlobalAveragePooling2D()(nested(x))
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(x))


def norms(model):
    return [model.get_layer("norm"), model.get_layer("nested").layers[0]]


def statistics(model):
    return [
        np.array(weight)
        for layer in norms(model)
        for weight in (layer.moving_mean, layer.moving_variance)
    ]


def fit(model):
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(random_images(), np.ones((6, 2)), verbose=0)


def test_it_normalizes_by_its_statistics_in_training():
    layer = FrozenStatisticsBatchNormalization(epsilon=0.0)
    layer.build((None, 1, 2, 1))
    # gamma 3, beta 1, mean 2, variance 4.
    layer.set_weights(np.array([[3.0], [1.0], [2.0], [4.0]]))
    images = np.array([4.0, 8.0], "float32").reshape(1, 1, 2, 1)
    for training in (True, False):
        outputs = layer(images, training=training)
        assert_allclose(np.ravel(outputs), [4.0, 10.0], rtol=1e-6)
    assert_array_equal(layer.moving_mean, [2.0])
    assert_array_equal(layer.moving_variance, [4.0])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("arguments", [{}, {"axis": 1}, {"renorm": True}])
def test_it_is_the_plain_layer_in_inference(arguments, policy):
    plain = keras.layers.BatchNormalization(dtype=policy, **arguments)
    layer = FrozenStatisticsBatchNormalization(dtype=policy, **arguments)
    for one in (plain, layer):
        one.build(SHAPE)
        rng = np.random.default_rng(1)
        one.set_weights([rng.uniform(0.5, 2, w.shape) for w in one.weights])
    expected = keras.ops.cast(plain(random_images()), "float32")
    found = keras.ops.cast(layer(random_images(), training=True), "float32")
    rtol = 1e-5 if policy == "float32" else 2e-2
    assert_allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("fuse_first", [True, False])
def test_only_the_statistics_of_a_model_rest(fuse_first):
    model = small_cnn()
    for change in (
        [fuse_batch_normalization, freeze_statistics]
        if fuse_first
        else [freeze_statistics, fuse_batch_normalization]
    ):
        assert change(model) is model
    before, gammas = (
        statistics(model),
        [np.array(n.gamma) for n in norms(model)],
    )
    fit(model)
    for old, new in zip(before, statistics(model), strict=True):
        assert_array_equal(new, old)
    for old, layer in zip(gammas, norms(model), strict=True):
        assert np.abs(np.array(layer.gamma) - old).max() > 0
    fit(fuse_batch_normalization(other := small_cnn()))  # These do move.
    assert not np.array_equal(statistics(other)[0], before[0])


def test_a_saved_model_keeps_them_still(tmp_path):
    model = freeze_statistics(fuse_batch_normalization(small_cnn()))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert {type(norm) for norm in norms(loaded)} == {
        FrozenStatisticsBatchNormalization
    }
    before = statistics(loaded)
    fit(loaded)
    for old, new in zip(before, statistics(loaded), strict=True):
        assert_array_equal(new, old)


def test_a_frozen_layer_rests_altogether():
    model = freeze_statistics(small_cnn())
    model.get_layer("norm").trainable = False
    before = [np.array(w) for w in model.get_layer("norm").weights]
    fit(model)
    for old, new in zip(before, model.get_layer("norm").weights, strict=True):
        assert_array_equal(new, old)


def test_other_subclasses_stay_what_they_are():
    class Other(keras.layers.BatchNormalization):
        pass

    inputs = keras.Input(SHAPE[1:])
    model = keras.Model(inputs, Other()(inputs))
    freeze_statistics(model)
    assert type(model.layers[1]) is Other
