import keras
import numpy as np
import pytest

from keras_csg.training import TrainingOptions
from keras_csg.training.optimizers import create_optimizer, learning_rate

OPTIONS = TrainingOptions(
    epochs=4,
    learning_rate=0.1,
    lr_warmup=1,
    weight_decay=0.01,
    optimizer="sgd",
)


def rates(options, steps):
    schedule = learning_rate(options, steps_per_epoch=steps)
    return [float(schedule(step)) for step in range(4 * steps + 1)]


def test_cosine_rises_in_the_warm_up_and_ends_at_zero():
    values = rates(OPTIONS, 10)
    np.testing.assert_allclose(values[:11], np.linspace(0, 0.1, 11), atol=1e-7)
    assert values[25] == pytest.approx(0.05, rel=1e-5)
    assert values[-1] == pytest.approx(0.0, abs=1e-7)


def test_steps_divide_by_ten_after_half_and_three_quarters():
    values = rates(OPTIONS.replace(lr_schedule="step"), 10)
    assert values[20] == pytest.approx(0.1)
    assert values[21] == pytest.approx(0.01)
    assert values[31] == pytest.approx(0.001)


def test_warm_up_never_takes_the_whole_run():
    options = OPTIONS.replace(epochs=1, lr_warmup=5)
    assert float(learning_rate(options, 10)(0)) == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_decay_is_for_kernels_alone(name):
    optimizer = create_optimizer(OPTIONS.replace(optimizer=name), 10)
    layer = keras.layers.Dense(2, bias_initializer="ones")
    layer.build((None, 2))
    before = np.array(layer.kernel.value)
    for _ in range(12):
        zeros = [keras.ops.zeros_like(w) for w in layer.trainable_weights]
        optimizer.apply(zeros, layer.trainable_weights)
    np.testing.assert_array_equal(layer.bias.value, [1, 1])
    assert (np.abs(layer.kernel.value) < np.abs(before)).all()


def test_no_decay_is_no_decay():
    optimizer = create_optimizer(OPTIONS.replace(weight_decay=0.0), 10)
    assert optimizer.weight_decay is None
