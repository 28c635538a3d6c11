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


def test_steps_rise_in_the_warm_up_too():
    """Ten steps of warm-up, then 0.1 up to step 20, as without."""
    values = rates(OPTIONS.replace(lr_schedule="step"), 10)
    np.testing.assert_allclose(values[:11], np.linspace(0, 0.1, 11), atol=1e-7)
    without = rates(OPTIONS.replace(lr_schedule="step", lr_warmup=0), 10)
    np.testing.assert_allclose(values[10:], without[10:], rtol=1e-6)
    assert without[0] == pytest.approx(0.1)


def test_a_step_within_the_warm_up_divides_what_it_is_then():
    """Of 40 steps 30 are warm-up: 0.1 * 15 / 30, then 0.01 * 24 / 30."""
    values = rates(OPTIONS.replace(lr_schedule="step", lr_warmup=3), 10)
    assert values[15] == pytest.approx(0.05)
    assert values[24] == pytest.approx(0.008)


def test_a_constant_rate_rises_in_the_warm_up_and_stays():
    values = rates(OPTIONS.replace(lr_schedule="constant"), 10)
    np.testing.assert_allclose(values[:11], np.linspace(0, 0.1, 11), atol=1e-7)
    np.testing.assert_allclose(values[10:], 0.1, rtol=1e-6)
    options = OPTIONS.replace(lr_schedule="constant", lr_warmup=0)
    assert learning_rate(options, 10) == 0.1


@pytest.mark.parametrize("lr_schedule", ["cosine", "step", "constant"])
def test_a_schedule_is_saved_and_loaded(lr_schedule):
    schedule = learning_rate(OPTIONS.replace(lr_schedule=lr_schedule), 10)
    config = keras.saving.serialize_keras_object(schedule)
    twin = keras.saving.deserialize_keras_object(config)
    for step in (0, 7, 10, 21, 39):
        assert float(twin(step)) == float(schedule(step))


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
