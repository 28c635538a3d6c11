"""Names that the package gives are free for the layers of a user's backbone."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from keras_csg.backbones.freezing import ADDED_CONVOLUTION
from keras_csg.deployment.graph.answers import OWN_LAYERS
from keras_csg.deployment.graph.outputs import OUTPUTS
from tests.tiny import tiny_data

NAMES = sorted(
    {
        *OWN_LAYERS,
        *OUTPUTS,
        ADDED_CONVOLUTION,
        "images",
        "image_normalization",
        "pooling",
        "head",
        "gate",
        "gate_budget",
        "filter_dropout",
        "class_head",
        "maps",
        "maps_out",
        "table",
        "weights",
        "bias",
        "serving_default",
        "explain",
        "batch",
        "pooling_",
        "head_",
        "images_",
    }
)


def backbone(image_name="their_images"):
    """A network of which each layer has one of the names."""
    images = keras.Input((8, 8, 3), name=image_name)
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(6, 3, name="features")(x)
    for name in NAMES:
        if name != image_name:
            x = keras.layers.LeakyReLU(0.99, name=name)(x)
    return keras.Model(images, x)


@pytest.mark.parametrize(
    "given",
    [{}, {"filters": 5, "normalization": "tf"}, {"gate_at": "pooling"}],
    ids=["plain", "narrowed", "cut"],
)
def test_a_network_of_our_names_trains_saves_and_is_exported(given, tmp_path):
    network = backbone()
    model = keras_csg.build(network, 4, **given)
    images, labels = tiny_data(8)
    if not given:
        assert_array_equal(model.backbone(images), network(images))
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(loaded(images), model(images))
    expected = keras.ops.softmax(model(images))
    for name in ("model.onnx",) if given else ("a.onnx", "a.tflite", "a"):
        keras_csg.export(model, tmp_path / name, images=images)
        answers = keras_csg.open_exported(tmp_path / name).answer(images)
        assert_allclose(answers["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["pooling", "head", "heatmap", "images_"])
def test_the_images_may_be_called_like_anything_of_ours(name, tmp_path):
    model = keras_csg.CSGClassifier(backbone(name), 4)
    images = tiny_data(3)[0]
    keras_csg.export(model, tmp_path / "model.onnx", images=images)
    answers = keras_csg.open_exported(tmp_path / "model.onnx").answer(images)
    expected = np.asarray(keras.ops.softmax(model(images)))
    assert_allclose(answers["probabilities"], expected, atol=1e-5)
