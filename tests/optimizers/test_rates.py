import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.optimizers import fuse_updates, scale_rates
from tests.tiny import tiny_classifier, tiny_data

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.1),
    "loss scaling": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.1), initial_scale=4.0
    ),
}


def steps(optimizer, factor=None):
    """How far two equal variables go by equal gradients, the first slower."""
    slow, usual = keras.Variable(np.ones(3)), keras.Variable(np.ones(3))
    if factor is not None:
        optimizer = scale_rates(fuse_updates(optimizer), [slow], factor)
    scale = float(optimizer.scale_loss(1.0))
    gradient = scale * keras.ops.convert_to_tensor([1.0, -2.0, 3.0])
    for _ in range(2):
        optimizer.apply([gradient, gradient], [slow, usual])
    return np.asarray(slow) - 1, np.asarray(usual) - 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_steps_of_some_variables_are_a_share_of_the_others(optimizer):
    slow, usual = steps(OPTIMIZERS[optimizer](), 0.25)
    plain, _ = steps(OPTIMIZERS[optimizer]())
    assert_allclose(usual, plain, rtol=1e-6)
    assert_allclose(slow, 0.25 * usual, rtol=1e-5)


def test_it_is_saved_as_the_optimizer_it_was():
    optimizer = scale_rates(keras.optimizers.Adam(0.1), [], 0.5)
    assert optimizer.__class__ is keras.optimizers.Adam
    saved = keras.saving.serialize_keras_object(optimizer)
    assert type(keras.saving.deserialize_keras_object(saved)) is (
        keras.optimizers.Adam
    )


def test_the_rate_can_be_set_twice():
    optimizer = scale_rates(keras.optimizers.SGD(0.1), [], 0.5)
    variable = keras.Variable(np.ones(1))
    scale_rates(optimizer, [variable], 0.1)
    optimizer.apply([keras.ops.ones(1)], [variable])
    assert_allclose(np.asarray(variable), [0.99])


@pytest.mark.slow
def test_a_backbone_at_rate_zero_rests_while_the_head_learns(tmp_path):
    model = tiny_classifier(backbone_rate=0.0)
    images, labels = tiny_data()
    conv = np.array(model.get_layer("conv").kernel)
    head = np.array(model.head.kernel)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(images, labels, verbose=0)
    assert_allclose(model.get_layer("conv").kernel, conv, atol=0)
    assert (np.array(model.head.kernel) != head).any()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    loaded.fit(images, labels, verbose=0)
    assert_allclose(loaded.get_layer("conv").kernel, conv, atol=0)
