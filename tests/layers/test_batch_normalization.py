import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.layers.batch_normalization import FusedBatchNormalization

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Only TensorFlow has the kernel; elsewhere Keras's own call runs.",
)

SHAPE = (8, 6, 5, 7)
FLOAT32 = {"rtol": 1e-5, "atol": 1e-5}
# Gradients of the weights are long sums: in float32 Keras's are off by 1e-4.
TOLERANCES = {
    "float32": {"rtol": 2e-4, "atol": 1e-5},
    "mixed_bfloat16": {"rtol": 2e-2, "atol": 2e-2},
    "mixed_float16": {"rtol": 2e-3, "atol": 2e-3},
}


def random_images(shape=SHAPE, seed=0, mean=3.0):
    rng = np.random.default_rng(seed)
    return rng.normal(mean, 2.0, shape).astype("float32")


def plain_and_fused(shape=SHAPE, **arguments):
    """Builds Keras's layer and ours, with the same uneven weights."""
    layers = []
    for cls in (keras.layers.BatchNormalization, FusedBatchNormalization):
        layer = cls(**arguments)
        layer.build(shape)
        rng = np.random.default_rng(1)
        layer.set_weights(
            [rng.uniform(0.5, 1.5, w.shape) for w in layer.weights]
        )
        layers.append(layer)
    return layers


def outputs_and_gradients(layer, x, training):
    x = tf.cast(x, layer.compute_dtype)
    # A sum alone would have no gradient: the outputs of a batch sum to zero.
    cotangent = tf.constant(random_images(x.shape, seed=2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
        loss = tf.reduce_sum(tf.cast(y, "float32") * cotangent)
    weights = [weight.value for weight in layer.trainable_weights]
    return [y, *tape.gradient(loss, [x, *weights])]


def assert_same(layers, training, shape=SHAPE):
    """Compares outputs, gradients and weights of two layers after a call."""
    tolerance = TOLERANCES.get(layers[0].dtype_policy.name, FLOAT32)
    values = [
        outputs_and_gradients(layer, random_images(shape), training)
        for layer in layers
    ]
    for expected, actual in zip(*values, strict=True):
        assert actual.dtype == expected.dtype
        expected = tf.cast(expected, "float32").numpy()
        actual = tf.cast(actual, "float32").numpy()
        assert_allclose(actual, expected, **tolerance)
    assert_same_weights(*layers)


def assert_same_weights(plain, fused):
    for expected, actual in zip(plain.weights, fused.weights, strict=True):
        assert actual.name == expected.name
        assert actual.dtype == expected.dtype
        assert_allclose(actual, expected, **FLOAT32)


def operations_of(layer, x, **arguments):
    """Returns the TensorFlow operations that a call consists of."""
    function = tf.function(lambda x: layer(x, **arguments))
    graph = function.get_concrete_function(tf.constant(x)).graph
    return graph.get_operations()


def runs_kernel(layer, x, **arguments):
    operations = operations_of(layer, x, **arguments)
    return "FusedBatchNormV3" in {operation.type for operation in operations}


def test_training_step_by_hand():
    layer = FusedBatchNormalization(momentum=0.5, epsilon=0.0)
    x = np.array([1.0, 3.0], "float32").reshape(1, 1, 2, 1)
    y = layer(x, training=True)
    assert_allclose(np.ravel(y), [-1.0, 1.0], **FLOAT32)
    # mean 2, variance ((1 - 2)^2 + (3 - 2)^2) / 2 = 1: over n, not n - 1.
    assert_allclose(layer.moving_mean, [0.5 * 0.0 + 0.5 * 2.0], **FLOAT32)
    assert_allclose(layer.moving_variance, [0.5 * 1.0 + 0.5 * 1.0], **FLOAT32)
    y = layer(x, training=False)
    assert_allclose(np.ravel(y), [0.0, 2.0], **FLOAT32)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("policy", list(TOLERANCES))
def test_equals_keras(policy, training):
    assert_same(plain_and_fused(dtype=policy), training)


@pytest.mark.parametrize("training", [True, False])
def test_sixteen_bit_images_are_not_cast(training):
    layer = FusedBatchNormalization(dtype="mixed_bfloat16")
    x = tf.cast(random_images(), "bfloat16")
    operations = operations_of(layer, x, training=training)
    assert "FusedBatchNormV3" in {operation.type for operation in operations}
    casts = [op for op in operations if op.type == "Cast"]
    assert all(op.inputs[0].shape.rank == 0 for op in casts)
    assert {weight.dtype for weight in layer.weights} == {"float32"}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "center, scale", [(False, True), (True, False), (False, False)]
)
def test_without_center_or_scale(center, scale, training):
    assert_same(plain_and_fused(center=center, scale=scale), training)


@pytest.mark.parametrize("batch", [1, 2])
def test_few_values_per_filter(batch):
    shape = (batch, 1, 1, 3)
    layers = plain_and_fused(shape, momentum=0.5, epsilon=0.1)
    assert_same(layers, training=True, shape=shape)


def test_frozen_layer_runs_in_inference_mode():
    layers = plain_and_fused(trainable=False)
    before = layers[1].get_weights()
    assert_same(layers, training=True)
    for weight, value in zip(layers[1].get_weights(), before, strict=True):
        assert_allclose(weight, value, rtol=0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_running_statistics_with_a_dynamic_batch(jit_compile):
    layers = plain_and_fused(momentum=0.9)
    for layer in layers:
        step = tf.function(
            lambda x, layer=layer: layer(x, training=True),
            input_signature=[tf.TensorSpec((None, None, None, SHAPE[-1]))],
            jit_compile=jit_compile,
        )
        for batch in range(1, 7):
            x = random_images((batch, *SHAPE[1:]), seed=batch, mean=100.0)
            step(tf.constant(x))
    assert_same_weights(*layers)


@pytest.mark.parametrize(
    "shape, arguments",
    [
        ((8, 7), {}),
        ((2, 4, 4, 4, 7), {}),
        (SHAPE, {"axis": 1}),
        (SHAPE, {"renorm": True}),
        (SHAPE, {"synchronized": True}),
        (SHAPE, {"dtype": "float64"}),
    ],
)
def test_falls_back_where_the_kernel_does_not_apply(shape, arguments):
    plain, fused = plain_and_fused(shape, **arguments)
    x = random_images(shape)
    assert not runs_kernel(fused, x, training=True)
    assert_allclose(fused(x, training=True), plain(x, training=True), **FLOAT32)
    assert_same_weights(plain, fused)


def test_falls_back_with_a_mask():
    layers = plain_and_fused()
    mask = np.random.default_rng(0).random(SHAPE[:-1]) > 0.5
    expected, actual = (
        layer(random_images(), training=True, mask=mask) for layer in layers
    )
    assert_allclose(actual, expected, **FLOAT32)
    assert_same_weights(*layers)


def test_is_the_plain_layer_to_keras():
    layer = FusedBatchNormalization(momentum=0.7, scale=False, axis=3)
    config = keras.saving.serialize_keras_object(layer)
    assert config["module"] == "keras.layers"
    assert config["class_name"] == "BatchNormalization"
    loaded = keras.saving.deserialize_keras_object(config)
    assert type(loaded) is keras.layers.BatchNormalization
    restored = FusedBatchNormalization.from_config(layer.get_config())
    assert type(restored) is FusedBatchNormalization
    assert restored.get_config() == loaded.get_config() == layer.get_config()
