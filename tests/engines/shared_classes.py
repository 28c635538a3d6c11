"""Gate and head shared among 4 logical processors train as on one.

KERAS_BACKEND=jax python -m tests.engines.shared_classes
"""

import keras
import numpy as np

import keras_csg
from tests.engines.several_devices import MOST, maps_of

CLASSES = 8


def trained():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 8, 8, 3)).astype("uint8")
    labels = np.arange(64) % CLASSES
    inputs = keras.Input((8, 8, 3))
    model = keras_csg.build(keras.Model(inputs, maps_of(inputs)), CLASSES)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    history = model.fit(images, labels, batch_size=16, epochs=5, verbose=0)
    return model, history.history


def axes_of(variable):
    return tuple(variable.value.sharding.spec)


def main():
    one, expected = trained()
    devices = keras.distribution.list_devices("cpu")
    mesh = keras.distribution.DeviceMesh((1, MOST), ["batch", "model"], devices)
    layout = keras_csg.class_layout(mesh)
    with keras.distribution.ModelParallel(layout_map=layout).scope():
        shared, history = trained()
    assert axes_of(shared.gate.gate_matrix) == ("model", None)
    assert axes_of(shared.gate_budget.scores) == ("model", None)
    assert axes_of(shared.head.kernel) == (None, "model")
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4)
    for ours, theirs in zip(
        one.get_weights(), shared.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    try:
        keras_csg.class_layout(mesh, axis="classes")
    except ValueError as error:
        assert "one of batch, model" in str(error)
    else:
        raise AssertionError("An axis that is not there must be refused.")


if __name__ == "__main__":
    main()
