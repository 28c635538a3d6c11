"""Whole models through `fuse_batch_normalization`."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.layers.batch_normalization import (
    FusedBatchNormalization,
    fuse_batch_normalization,
)

tf = pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow",
        reason="Only TensorFlow has the kernel.",
    ),
    # Keras and TensorFlow on NumPy 2: their variables when saved.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't"),
]


def random_images(size=16, batch=2):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, size, size, 3)).astype("float32")


def small_cnn():
    inputs = keras.Input((16, 16, 3))
    x = inputs
    for filters in (4, 8):
        x = keras.layers.Conv2D(filters, 3, use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


def mobilenet():
    return keras.applications.MobileNetV2(
        (32, 32, 3), include_top=False, weights=None
    )


def resnet():
    return keras.applications.ResNet50(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )


def fused_small_cnn():
    return randomize(fuse_batch_normalization(small_cnn()))


def randomize(model):
    """Gives the normalizations uneven weights, as after training."""
    rng = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [rng.uniform(0.5, 1.5, w.shape) for w in layer.weights]
            )
    return model


def fused_layers(model):
    return [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, FusedBatchNormalization)
    ]


def assert_close(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    limit = 1e-5 * np.abs(expected).max()
    assert_allclose(actual, expected, rtol=0, atol=limit)


@pytest.mark.parametrize(
    "build, size, count",
    [(small_cnn, 16, 2), (mobilenet, 32, 52), (resnet, 32, 53)],
)
def test_fused_model_predicts_the_same(build, size, count):
    model = randomize(build())
    layers, weights = list(model.layers), list(model.weights)
    expected = model(random_images(size))
    assert fuse_batch_normalization(model) is model
    assert len(fused_layers(model)) == count
    assert [*map(id, model.layers)] == [*map(id, layers)]
    assert [*map(id, model.weights)] == [*map(id, weights)]
    assert_close(model(random_images(size)), expected)


def test_inner_outputs_belong_to_the_fused_model():
    model = fused_small_cnn()
    inner = keras.Model(model.inputs, model.layers[2].output)
    function = tf.function(lambda x: inner(x, training=False))
    graph = function.get_concrete_function(random_images()).graph
    kernels = [operation.type for operation in graph.get_operations()]
    assert kernels.count("FusedBatchNormV3") == 1


def test_reaches_nested_and_shared_layers_but_no_subclass():
    class Other(keras.layers.BatchNormalization):
        pass

    shared = keras.layers.BatchNormalization(trainable=False)
    inputs = keras.Input((16, 16, 3))
    x = shared(shared(Other()(inputs)))
    nested = keras.Sequential([small_cnn(), keras.layers.Reshape((1, 1, 3))])
    model = keras.Model(inputs, shared(nested(x)))
    fuse_batch_normalization(model)
    assert len(fused_layers(model)) == 3
    assert type(model.layers[1]) is Other
    assert isinstance(shared, FusedBatchNormalization)
    assert not shared.trainable


@pytest.mark.parametrize(
    "jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_fit_equals_the_plain_model(jit_compile):
    x, y = random_images(batch=20), np.arange(20) % 3
    models = []
    for prepare in (lambda model: model, fuse_batch_normalization):
        keras.utils.set_random_seed(0)
        model = prepare(small_cnn())
        model.compile(
            keras.optimizers.SGD(0.05, momentum=0.9),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=jit_compile,
        )
        model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        models.append(model)
    for weights in zip(*(model.weights for model in models), strict=True):
        expected, actual = (weight.numpy() for weight in weights)
        assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_weights_files_are_those_of_the_plain_model(tmp_path):
    fused, plain = fused_small_cnn(), small_cnn()
    path = tmp_path / "model.weights.h5"
    fused.save_weights(path)
    plain.load_weights(path)
    assert_close(plain(random_images()), fused(random_images()))
    randomize(plain).save_weights(path)
    fused.load_weights(path)
    assert_close(fused(random_images()), plain(random_images()))


@pytest.mark.slow
def test_saved_model_loads_without_this_package(tmp_path):
    model = fused_small_cnn()
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", random_images())
    script = (
        "import sys, keras, numpy as np\n"
        "model = keras.saving.load_model('model.keras')\n"
        "np.save('y.npy', model(np.load('x.npy')))\n"
        "sys.exit('keras_csg' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert_close(np.load(tmp_path / "y.npy"), model(random_images()))


def test_exports_to_saved_model(tmp_path):
    model = fused_small_cnn()
    model.export(tmp_path / "export", format="tf_saved_model", verbose=False)
    exported = tf.saved_model.load(tmp_path / "export")
    assert_close(exported.serve(random_images()), model(random_images()))
