import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import keras_csg
from keras_csg.deployment.graph.answers import answering_model
from tests.tiny import tiny_backbone


def test_a_backbone_by_name():
    model = keras_csg.build("resnet20", num_classes=10)
    assert model.filters == 64
    # He et al., table 6: 0.27 M. The gate's 640, as many scores and seven
    # numbers of its budget, and the two path weights are ours.
    assert model.count_params() - 640 - (640 + 7) - 2 == 271_098
    assert model(np.zeros((1, 32, 32, 3))).shape == (1, 10)


def test_the_gate_may_sit_at_another_layer():
    model = keras_csg.build(tiny_backbone(), num_classes=3, gate_at="conv")
    assert model.backbone.layers[-1].name == "conv"
    assert model.gate.gate_matrix.shape == (3, 6)


def test_a_layer_that_is_not_there_gets_the_nearest_name():
    with pytest.raises(ValueError, match="such as conv.*gate_at='conv_'"):
        keras_csg.build(tiny_backbone(), 3, gate_at="conv_")


def test_fewer_filters_before_the_gate():
    model = keras_csg.build(tiny_backbone(), num_classes=3, filters=4)
    assert model.gate.gate_matrix.shape == (3, 4)
    assert model.backbone.layers[-1].kernel_size == (3, 3)
    assert float(np.min(model.backbone(np.ones((1, 8, 8, 3))))) >= 0


def test_a_users_model_is_copied_and_normalized():
    backbone = tiny_backbone()
    model = keras_csg.build(backbone, 3, normalization="tf")
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3))
    scaled = (images / 127.5 - 1).astype("float32")
    assert_allclose(model.backbone(images), backbone(scaled), atol=1e-5)
    inner = keras_csg.build(backbone, 3, normalization="tf", gate_at="conv")
    assert inner.backbone.layers[-1].name == "conv"
    assert not any(
        isinstance(layer, keras.Model) for layer in model.backbone.layers
    )


def test_a_sequential_model_is_a_backbone_too(tmp_path):
    backbone = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3)]
    )
    model = keras_csg.build(backbone, 3)
    images = np.ones((2, 8, 8, 3), "float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_allclose(loaded(images), model(images))


def vector_model():
    images = keras.Input((8, 8, 3))
    return keras.Model(images, keras.layers.GlobalAveragePooling2D()(images))


@pytest.mark.parametrize(
    "backbone, kwargs, match",
    [
        ("resnet2000", {}, "nearest.*resnet"),
        (42, {}, "backbone=42"),
        (vector_model, {}, r"output_shape=\(None, 3\)"),
        (tiny_backbone, {"weights": "imagenet"}, "weights='imagenet'"),
        (tiny_backbone, {"input_shape": (8, 8, 3)}, "input_shape"),
        (tiny_backbone, {"filters": 0}, "filters=0"),
        ("resnet20", {"normalization": "tf"}, "normalization='tf'"),
        ("resnet50", {"input_shape": (8, 8, 3)}, "32x32"),
        ("resnet20", {"weights": "imagenet"}, "weights"),
    ],
)
def test_what_cannot_be_built_is_named(backbone, kwargs, match):
    if callable(backbone):
        backbone = backbone()
    with pytest.raises(ValueError, match=match):
        keras_csg.build(backbone, 3, **kwargs)


@pytest.mark.parametrize(
    "name, kwargs",
    [
        ("images", {}),
        ("gated_conv", {"filters": 8}),
        ("image_normalization", {"normalization": "tf"}),
        ("pooling", {}),
        ("head", {}),
        ("filter_dropout", {}),
        ("gate", {}),
        ("class_specific_head", {}),
        ("standard_head", {}),
        ("heatmap", {}),
        ("gate_agreement", {}),
        ("filter_contributions", {}),
        ("evidence", {}),
        ("class_id", {}),
    ],
)
def test_a_layer_may_have_a_name_of_ours(name, kwargs, tmp_path):
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(6, 3, activation="relu", name=name)(images)
    model = keras_csg.build(keras.Model(images, maps), 4, **kwargs)
    assert model.filters == kwargs.get("filters", 6)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3))
    logits = model.predict(pixels, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(pixels, verbose=0), logits)
    answers = answering_model(loaded).predict(pixels, verbose=0)
    expected = keras.ops.softmax(logits)
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["", " ", b"\n"])
def test_a_class_without_a_name_is_refused(name):
    with pytest.raises(ValueError, match="not empty. Received.* for class 1"):
        keras_csg.build(tiny_backbone(), 2, class_names=["a", name])


@pytest.mark.parametrize(
    "names",
    [
        np.array(["a", "b"]),
        np.array([b"a", b"b"]),
        np.array(["a", "b"], object),
        iter("ab"),
    ],
)
def test_names_may_be_an_array_or_an_iterator(names):
    model = keras_csg.build(tiny_backbone(), 2, class_names=names)
    assert model.class_names == ["a", "b"]
    assert {type(name) for name in model.class_names} == {str}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (np.array([1, 2]), r"must be texts .*Received: .*1.* among them"),
        ([1, 2], "must be texts .*Received: 1 among them"),
        (np.array(["a", " "]), "not empty.* for class 1"),
        (np.array("ab"), "must be a list of names"),
        (5, "must be a list of names. Received: class_names=5"),
        ("ab", "must be a list of names"),
        ({"a", "b"}, "must be a list of names"),
    ],
)
def test_names_that_are_no_list_of_texts_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        keras_csg.build(tiny_backbone(), 2, class_names=names)
