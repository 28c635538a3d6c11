import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.optimizers.fused_sgd import FusedSGD, fuse_updates
from tests.tiny import tiny_classifier, tiny_data

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Only TensorFlow has the kernel.",
)


def trained(fused, jit_compile=False, steps=6, **kwargs):
    """Returns the variables of an optimizer, and what it moved."""
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (5,), ()]
    variables = [
        keras.Variable(rng.normal(size=s), dtype="float32") for s in shapes
    ]
    optimizer = keras.optimizers.SGD(**kwargs)
    if fused:
        fuse_updates(optimizer)
        assert type(optimizer) is FusedSGD
    optimizer.build(variables)
    step = tf.function(
        lambda *g: optimizer.apply(g, variables), jit_compile=jit_compile
    )
    for _ in range(steps):
        step(*(tf.constant(rng.normal(size=s), "float32") for s in shapes))
    return [np.asarray(v) for v in [*variables, *optimizer.variables]]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        {"momentum": 0.5, "clipnorm": 0.1},
        {"momentum": 0.9, "use_ema": True, "ema_overwrite_frequency": 2},
        {"momentum": 0.9, "gradient_accumulation_steps": 2},
        {"momentum": 0.0},
        {
            "momentum": 0.9,
            "learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 5),
        },
    ],
)
def test_the_numbers_are_those_of_keras(kwargs, jit_compile):
    kwargs = {"learning_rate": 0.1, **kwargs}
    expected = trained(False, jit_compile, **kwargs)
    for ours, theirs in zip(
        trained(True, jit_compile, **kwargs), expected, strict=True
    ):
        assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_one_kernel_updates_a_variable():
    variable = keras.Variable(np.ones(3), dtype="float32")
    optimizer = fuse_updates(keras.optimizers.SGD(0.1, momentum=0.9))
    optimizer.build([variable])
    step = tf.function(lambda g: optimizer.apply([g], [variable]))
    graph = step.get_concrete_function(tf.ones(3)).graph
    kinds = [op.type for op in graph.get_operations()]
    assert kinds.count("ResourceApplyKerasMomentum") == 1


def test_sparse_gradients_take_keras_steps():
    table = keras.Variable(np.ones((4, 2)), dtype="float32")
    optimizer = fuse_updates(keras.optimizers.SGD(0.1, momentum=0.9))
    optimizer.build([table])
    rows = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([2]), (4, 2))
    optimizer.apply([rows], [table])
    expected = np.ones((4, 2))
    expected[2] = 0.9
    assert_allclose(table, expected, rtol=1e-6)


def test_only_plain_gradient_descent_is_fused():
    class Own(keras.optimizers.SGD):
        pass

    for optimizer in (Own(0.1), keras.optimizers.Adam()):
        assert type(fuse_updates(optimizer)) is type(optimizer)
        assert type(optimizer) is not FusedSGD
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    assert type(fuse_updates(scaled).inner_optimizer) is FusedSGD


def test_a_classifier_is_saved_with_the_plain_optimizer(tmp_path):
    images, labels = tiny_data(32)
    model = tiny_classifier()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    assert type(model.optimizer) is FusedSGD
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    config = keras.saving.serialize_keras_object(model.optimizer)
    assert config["class_name"] == "SGD"
    assert config["module"] == "keras.optimizers"
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.optimizer) is FusedSGD
    for ours, theirs in zip(
        again.optimizer.variables, model.optimizer.variables, strict=True
    ):
        assert_array_equal(ours, theirs)
