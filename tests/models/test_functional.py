"""The classifier is one flat functional model: others' tools take it as is."""

import inspect

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from tests.tiny import CLASSES, FILTERS, tiny_classifier, tiny_data


def test_inputs_and_outputs_are_images_and_logits():
    model = tiny_classifier()
    (images,), (logits,) = model.inputs, model.outputs
    assert images.shape == (None, 8, 8, 3)
    assert logits.shape == (None, CLASSES)
    assert (model.input_shape, model.output_shape) == (
        (None, 8, 8, 3),
        (None, CLASSES),
    )


def test_its_layers_are_the_backbones_then_pooling_and_head():
    model = tiny_classifier()
    assert model.layers == [*model.backbone.layers, model.pooling, model.head]
    assert not any(isinstance(layer, keras.Model) for layer in model.layers)
    assert model.get_layer("conv") is model.backbone.get_layer("conv")


def test_a_model_cut_out_of_it_shares_its_weights():
    model = tiny_classifier()
    images, labels = tiny_data(8)
    maps = keras.Model(model.input, model.get_layer("relu").output)
    model.compile("sgd")
    model.fit(images, labels, verbose=0)
    features = maps.predict(images, verbose=0).mean(axis=(1, 2))
    assert_allclose(features, model.features(images), atol=1e-6)
    assert features.shape == (8, FILTERS)


def test_the_graph_is_the_call_without_labels():
    model = tiny_classifier()
    images, _ = tiny_data(8)
    graph = keras.Model(model.input, model.output)
    assert_array_equal(graph(images), model(images))


def test_it_can_be_called_on_symbolic_images_and_labels():
    model = tiny_classifier()
    images = keras.Input((8, 8, 3))
    labels = keras.Input((), dtype="int32")
    for logits in (model(images), model(images, labels=labels)):
        assert logits.shape == (None, CLASSES)
    whole = keras.Model([images, labels], model(images, labels=labels))
    pixels, numbers = tiny_data(8)
    assert_allclose(
        whole([pixels, numbers]), model(pixels, labels=numbers), atol=1e-6
    )


def test_the_summary_lists_the_backbones_layers():
    lines = []
    tiny_classifier().summary(print_fn=lines.append)
    text = "\n".join(lines)
    for name in ("images", "conv", "norm", "relu", "pooling", "head"):
        assert name in text


def test_plot_model_draws_the_backbones_layers():
    pytest.importorskip("pydot", reason="pip install pydot")
    dot = keras.utils.model_to_dot(tiny_classifier()).to_string()
    for name in ("conv", "norm", "relu", "pooling", "head"):
        assert name in dot


def test_constructor_arguments_are_attributes_under_their_name():
    """So are the layer's, and what is left out is filled in."""
    given = {
        "gated": True,
        "lambda_1": 0.5,
        "lambda_2": 0.02,
        "lambda_3": 0.1,
        "filter_dropout": 0.25,
        "density": 0.4,
        "class_names": list("abcd"),
    }
    model = tiny_classifier(**given)
    for name, value in given.items():
        assert getattr(model, name) == value, name
    parameters = inspect.signature(keras_csg.CSGClassifier).parameters
    for name in set(parameters) - {"kwargs"}:
        assert hasattr(model, name), name
    gate = keras_csg.CSGGate(3, 0.5, 0.1, "zeros")
    for name in inspect.signature(keras_csg.CSGGate).parameters:
        assert name == "kwargs" or hasattr(gate, name), name


def test_the_config_keeps_every_argument():
    model = tiny_classifier(filter_dropout=0.25, schedule="alternating")
    again = keras_csg.CSGClassifier.from_config(model.get_config())
    config, copied = model.get_config(), again.get_config()
    assert config == copied
    names = set(inspect.signature(keras_csg.CSGClassifier).parameters)
    assert names - {"kwargs"} <= set(config)


@pytest.mark.parametrize("gated", [True, False])
def test_keras_clones_the_standard_path(gated):
    model = tiny_classifier(gated=gated)
    clone = keras.models.clone_model(model)
    clone.set_weights(
        [w for layer in model.layers for w in layer.get_weights()]
    )
    images, _ = tiny_data(8)
    assert_allclose(clone(images), model(images), atol=1e-6)


def test_its_own_export_writes_what_the_package_opens(tmp_path):
    model = tiny_classifier()
    model.export(tmp_path / "model.onnx")
    model.export(tmp_path / "saved", format="tf_saved_model")
    images, _ = tiny_data(4)
    for path in (tmp_path / "model.onnx", tmp_path / "saved"):
        given = keras_csg.open_exported(path).answer(images)["probabilities"]
        expected = keras.ops.softmax(model(images))
        assert_allclose(given, expected, atol=1e-5)


def test_its_own_export_refuses_what_it_cannot_write(tmp_path):
    model = tiny_classifier()
    with pytest.raises(ValueError, match="format='torch'"):
        model.export(tmp_path / "model.pt2", format="torch")
    with pytest.raises(ValueError, match="input_signature"):
        model.export(tmp_path / "model.onnx", input_signature=[None])
    assert list(tmp_path.iterdir()) == []


def test_quantizing_it_in_place_points_to_quantized_files():
    model = tiny_classifier()
    with pytest.raises(ValueError, match="keras_csg.export.*mode='int8'"):
        model.quantize("int8")
    assert model.head.kernel.dtype == "float32"


def test_a_loaded_model_exports_itself(tmp_path):
    tiny_classifier().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    proof = loaded.export(tmp_path / "model.onnx")
    assert proof["format"] == "onnx" and proof["agreement"] == 1.0


def test_keras_vis_explains_it():
    """Another library's saliency, on the classifier as it is."""
    saliency = pytest.importorskip(
        "tf_keras_vis.saliency", reason="pip install tf-keras-vis"
    )
    gradcam = pytest.importorskip("tf_keras_vis.gradcam_plus_plus")
    scores = pytest.importorskip("tf_keras_vis.utils.scores")
    model = tiny_classifier()
    images, labels = tiny_data(3)
    score = scores.CategoricalScore(labels.tolist())
    maps = saliency.Saliency(model)(score, images)
    assert maps.shape == (3, 8, 8)
    assert np.ptp(maps) > 0
    cams = gradcam.GradcamPlusPlus(model)(
        score, images, penultimate_layer="relu"
    )
    assert cams.shape == (3, 8, 8)


def test_a_backbone_may_have_layers_of_the_same_names(tmp_path):
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, name="head")(images)
    x = keras.layers.ReLU(name="pooling")(x)
    model = keras_csg.build(keras.Model(images, x), CLASSES)
    pixels, _ = tiny_data(4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(loaded(pixels), model(pixels))
