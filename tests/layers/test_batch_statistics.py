"""Momentum by the number of steps, and statistics measured in one pass."""

import threading

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.layers import FusedBatchNormalization, measure_statistics
from keras_csg.layers.batch_statistics import (
    fitted_momentum,
    layers_with_statistics,
    momentum_fitted_to,
)

EPSILON = 1e-3
CLASSES = {
    "plain": keras.layers.BatchNormalization,
    "fused": FusedBatchNormalization,
}


def network(norm=FusedBatchNormalization, **kwargs):
    """Two 1x1 convolutions, each with its normalization, and dropout."""
    images = keras.Input((3, 2, 3))
    x = keras.layers.Conv2D(4, 1, name="conv1")(images)
    x = norm(name="norm1", epsilon=EPSILON, **kwargs)(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Conv2D(5, 1, name="conv2")(x)
    x = norm(name="norm2", epsilon=EPSILON, **kwargs)(x)
    return keras.Model(images, keras.layers.Dropout(0.5, seed=1)(x))


def random_batches(sizes=(8, 8, 3)):
    rng = np.random.default_rng(0)
    return [
        rng.normal(i, 1 + i, (size, 3, 2, 3)).astype("float32")
        for i, size in enumerate(sizes)
    ]


def statistics_of(model):
    return {
        name: [np.array(w) for w in model.get_layer(name).get_weights()[-2:]]
        for name in ("norm1", "norm2")
    }


def expected_statistics(model, batches):
    """In NumPy: mean and variance of all that each layer was given."""
    given = {"norm1": [], "norm2": []}
    kernels = [np.array(model.get_layer(f"conv{i}").kernel) for i in (1, 2)]
    for batch in batches:
        first = (batch @ kernels[0][0, 0]).reshape(-1, 4)
        spread = np.sqrt(first.var(axis=0) + EPSILON)
        active = np.maximum((first - first.mean(axis=0)) / spread, 0)
        given["norm1"].append(first)
        given["norm2"].append(active @ kernels[1][0, 0])
    together = {name: np.concatenate(given[name]) for name in given}
    return {name: [x.mean(0), x.var(0)] for name, x in together.items()}


def assert_statistics(model, expected, rtol=1e-4):
    found = statistics_of(model)
    for name in expected:
        assert_allclose(found[name], expected[name], rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    "own, steps, expected",
    [
        (0.999, 0, 0.1),
        (0.999, 8, 0.5),
        (0.999, 80, 0.9),
        (0.999, 890, 0.99),
        (0.9, 80, 0.9),
        (0.9, 81, 0.9),
        (0.5, 890, 0.5),
        (0.0, 0, 0.0),
    ],
)
def test_the_momentum_reaches_back_over_a_ninth_of_the_steps(
    own, steps, expected
):
    assert float(fitted_momentum(own, steps)) == pytest.approx(expected)


def test_of_the_initial_value_nothing_is_left_after_an_epoch_of_digits():
    steps = np.arange(21)
    left = np.prod([float(fitted_momentum(0.9997, step)) for step in steps])
    assert left < 1e-6
    assert 0.9997**420 > 0.85  # What Keras keeps of it after all twenty.


def test_the_layer_uses_it_in_this_thread_alone():
    layer = FusedBatchNormalization(momentum=0.99)
    seen = []
    with momentum_fitted_to(keras.ops.convert_to_tensor(8)):
        assert float(layer.momentum) == pytest.approx(0.5)
        other = threading.Thread(target=lambda: seen.append(layer.momentum))
        other.start()
        other.join()
    assert seen == [0.99]
    assert layer.momentum == 0.99 == layer.get_config()["momentum"]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_statistics_are_those_of_all_images(name, policy):
    """The last batch is smaller, and the batches differ."""
    keras.config.set_dtype_policy(policy)
    model = network(CLASSES[name], momentum=0.7)
    batches = random_batches()
    labelled = [(batch, np.zeros(len(batch))) for batch in batches]
    measure_statistics(model, labelled)
    rtol = 1e-4 if policy == "float32" else 5e-2
    assert_statistics(model, expected_statistics(model, batches), rtol)


def test_no_more_images_than_asked_for_are_read():
    model = network()
    first, second, third = random_batches((8, 8, 8))

    def stream():
        yield first
        yield second
        raise AssertionError("Read too far.")

    measure_statistics(model, stream(), images=10)
    assert_statistics(model, expected_statistics(model, [first, second[:2]]))


def test_nothing_else_changes():
    model = network(momentum=0.7)
    before = [np.array(v.value) for v in model.variables]
    measure_statistics(model, random_batches())
    changed = [
        variable.path
        for variable, value in zip(model.variables, before, strict=True)
        if (np.array(variable.value) != value).any()
    ]
    assert changed == [
        f"norm{i}/{name}"
        for i in (1, 2)
        for name in ("moving_mean", "moving_variance")
    ]
    assert {layer.momentum for layer in layers_with_statistics(model)} == {0.7}


def test_an_error_leaves_the_model_as_it_was():
    model = network(momentum=0.7)
    before = [np.array(v.value) for v in model.variables]

    def stream():
        yield random_batches()[0]
        raise OSError("torn")

    with pytest.raises(OSError, match="torn"):
        measure_statistics(model, stream())
    for variable, value in zip(model.variables, before, strict=True):
        assert_array_equal(variable.value, value)
    assert {layer.momentum for layer in layers_with_statistics(model)} == {0.7}


def test_a_layer_that_does_not_train_keeps_its_statistics():
    model = network()
    model.get_layer("norm1").trainable = False
    before = statistics_of(model)
    measure_statistics(model, random_batches())
    after = statistics_of(model)
    assert_array_equal(before["norm1"], after["norm1"])
    assert (before["norm2"][0] != after["norm2"][0]).any()


class OwnStatistics(keras.layers.BatchNormalization):
    """Normalizes by its moving statistics, come what may."""

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)


def test_a_layer_that_measures_nothing_keeps_its_statistics():
    model = network(OwnStatistics)
    mean = np.array([1.0, 2.0, 3.0, 4.0], "float32")
    model.get_layer("norm1").moving_mean.assign(mean)
    measure_statistics(model, random_batches())
    assert_allclose(statistics_of(model)["norm1"][0], mean, rtol=1e-6)


def test_renormalization_is_left_alone():
    model = network(keras.layers.BatchNormalization, renorm=True)
    before = [np.array(v.value) for v in model.variables]
    measure_statistics(model, random_batches())
    for variable, value in zip(model.variables, before, strict=True):
        assert_array_equal(variable.value, value)


def test_statistics_that_are_not_finite_are_mended():
    model = network()
    layer = model.get_layer("norm1")
    layer.moving_variance.assign([np.inf, np.nan, 1.0, 1.0])
    batches = random_batches()
    measure_statistics(model, batches)
    assert_statistics(model, expected_statistics(model, batches))


def test_without_batch_normalization_nothing_is_read():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

    def stream():
        yield pytest.fail("Read for nothing.")

    measure_statistics(model, stream())


def test_no_images_change_nothing():
    model = network()
    before = statistics_of(model)
    measure_statistics(model, [])
    assert_statistics(model, before, rtol=0)


def test_a_pass_over_nothing_is_refused():
    with pytest.raises(ValueError, match="images=0"):
        measure_statistics(network(), random_batches(), images=0)
