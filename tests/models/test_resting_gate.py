"""In an epoch without the gated path nothing of the gate's moves."""

import keras
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg import CSGClassifier
from keras_csg.optimizers.slots import slots_of
from tests.tiny import CLASSES, tiny_backbone, tiny_classifier, tiny_data

# With how many variables each keeps of a matrix.
OPTIMIZERS = {
    "SGD": (keras.optimizers.SGD(0.1), 0),
    "momentum": (keras.optimizers.SGD(0.1, momentum=0.9), 1),
    "Nesterov": (keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), 1),
    "Adam": (keras.optimizers.Adam(0.01), 2),
    "AMSGrad": (keras.optimizers.Adam(0.01, amsgrad=True), 3),
    "AdamW": (keras.optimizers.AdamW(0.01), 2),
    "Nadam": (keras.optimizers.Nadam(0.01), 2),
    "Adamax": (keras.optimizers.Adamax(0.01), 2),
    "RMSprop": (keras.optimizers.RMSprop(0.01), 1),
    "centered": (
        keras.optimizers.RMSprop(0.01, momentum=0.9, centered=True),
        3,
    ),
    "Adagrad": (keras.optimizers.Adagrad(0.01), 1),
    "Adadelta": (keras.optimizers.Adadelta(0.1), 2),
    "Adafactor": (keras.optimizers.Adafactor(0.01), 3),
    "Lion": (keras.optimizers.Lion(0.001), 1),
    "Ftrl": (keras.optimizers.Ftrl(0.01), 2),
    "scaled": (
        keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
        2,
    ),
}


def compiled(name):
    optimizer, slots = OPTIMIZERS[name]
    config = keras.optimizers.serialize(optimizer)
    keras.utils.set_random_seed(0)
    model = tiny_classifier(lambda_2=0.5)
    model.compile(keras.optimizers.deserialize(config))
    model.build_optimizer()
    return model, slots


def state(model):
    gate_matrix = model.gate.gate_matrix
    kept = [gate_matrix, *slots_of(model.optimizer, gate_matrix)]
    return [keras.ops.convert_to_numpy(variable) for variable in kept]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_optimizer_keeps_so_much_of_the_gate(name):
    model, slots = compiled(name)
    gate_matrix = model.gate.gate_matrix
    kept = slots_of(model.optimizer, gate_matrix)
    assert len(kept) == slots
    # No other variable has its shape.
    shaped = [v for v in model.optimizer.variables if v.shape == (4, 6)]
    assert {id(v) for v in shaped} <= {id(v) for v in kept}


@pytest.mark.parametrize(
    "name",
    [
        name
        if name in ("SGD", "momentum", "AdamW", "Adafactor")
        else pytest.param(name, marks=pytest.mark.slow)
        for name in OPTIMIZERS
    ],
)
def test_nothing_moves_in_an_epoch_without_its_path(name):
    images, labels = tiny_data(64)
    model, _ = compiled(name)
    model.train_on_batch(images, labels)
    after_one = state(model)
    head = model.head.get_weights()[0]
    model.path_weights.assign((1, 0))
    for _ in range(3):
        model.train_on_batch(images, labels)
    for value, before in zip(state(model), after_one, strict=True):
        assert_array_equal(value, before)
    assert (model.head.get_weights()[0] != head).any()
    model.path_weights.assign((1, 1))
    model.train_on_batch(images, labels)
    assert any(
        (value != before).any()
        for value, before in zip(state(model), after_one, strict=True)
    )


def test_a_pause_leaves_no_trace_in_the_gate():
    """Two gated epochs with a rest of everything between them, or without."""
    images, labels = tiny_data(64)
    gates = []
    for weights in [(1, 1), (1, 1)], [(1, 1), (0, 0), (0, 0), (1, 1)]:
        keras.utils.set_random_seed(0)
        backbone = tiny_backbone(normalized=False)
        model = CSGClassifier(backbone, CLASSES, lambda_2=0.5, filter_dropout=0)
        model.compile(keras.optimizers.Adam(0.01))
        model.build_optimizer()
        others = [v for v in model.trainable_variables if "gate" not in v.path]
        start = [keras.ops.convert_to_numpy(v) for v in others]
        for pair in weights:
            model.path_weights.assign(pair)
            model.train_on_batch(images, labels)
            for variable, value in zip(others, start, strict=True):
                variable.assign(value)
        gates.append(state(model))
    for one, other in zip(*gates, strict=True):
        assert_allclose(one, other, atol=1e-6)
