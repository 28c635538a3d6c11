import keras
import numpy as np
import pytest
from keras import applications as stock
from numpy.testing import assert_allclose

from keras_csg.backbones import create_backbone
from keras_csg.backbones.applications import FAMILIES
from keras_csg.backbones.registry import backbone_spec

PREPROCESSING = {
    "ConvNeXtTiny": stock.convnext,
    "DenseNet121": stock.densenet,
    "EfficientNetB0": stock.efficientnet,
    "EfficientNetV2B0": stock.efficientnet_v2,
    "InceptionResNetV2": stock.inception_resnet_v2,
    "InceptionV3": stock.inception_v3,
    "MobileNet": stock.mobilenet,
    "MobileNetV2": stock.mobilenet_v2,
    "MobileNetV3Small": stock.mobilenet_v3,
    "NASNetMobile": stock.nasnet,
    "ResNet50": stock.resnet,
    "ResNet50V2": stock.resnet_v2,
    "VGG16": stock.vgg16,
    "Xception": stock.xception,
}
SLOW = {
    "EfficientNetV2B0",
    "MobileNetV3Small",
    "ResNet50V2",
    "Xception",
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "InceptionResNetV2",
    "InceptionV3",
    "NASNetMobile",
    "ResNet50",
}


@pytest.fixture(autouse=True)
def fresh_session():
    yield
    keras.backend.clear_session()


def class_names():
    return [name for family in FAMILIES for name in family.sizes]


def test_every_network_of_keras_applications_is_registered():
    functions = {
        name
        for name in dir(stock)
        if name[0].isupper() and callable(getattr(stock, name))
    }
    assert set(class_names()) == functions


def test_every_family_is_compared_with_its_preprocessing():
    compared = set(PREPROCESSING)
    assert all(compared & set(family.sizes) for family in FAMILIES)


@pytest.mark.parametrize(
    "class_name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in PREPROCESSING
    ],
)
def test_raw_images_give_what_the_stock_network_gives(class_name):
    side = backbone_spec(class_name).min_size
    shape = (side, side, 3)
    model = create_backbone(class_name, input_shape=shape)
    expected = getattr(stock, class_name)(
        include_top=False, weights=None, input_shape=shape
    )
    copy_weights(model, expected)

    images = np.random.default_rng(0).uniform(0, 255, (2, *shape))
    prepared = PREPROCESSING[class_name].preprocess_input(
        images.astype("float32")
    )
    wanted = np.asarray(expected(prepared, training=False))
    features = np.asarray(model(images.astype("float32"), training=False))
    assert np.max(np.abs(wanted)) > 0
    assert_allclose(features, wanted, atol=1e-4 * np.max(np.abs(wanted)))


def copy_weights(model, expected):
    """Copies in order; only ConvNeXt's depthwise kernels change shape."""
    pairs = zip(model.weights, expected.weights, strict=True)
    for ours, theirs in pairs:
        theirs.assign(np.reshape(ours, theirs.shape))


def test_default_size_is_that_of_the_stock_network():
    for name in ("EfficientNetV2B1", "Xception"):
        size = getattr(stock, name)(weights=None).input_shape[1]
        assert backbone_spec(name).default_size == size


def test_convnext_has_no_grouped_convolution_left():
    model = create_backbone("convnexttiny", input_shape=(32, 32, 3))
    groups = [getattr(x, "groups", 1) for x in model.layers]
    assert set(groups) == {1}
    assert model.count_params() == 27_820_128


def test_failed_download_says_what_to_do(monkeypatch):
    def fail(**kwargs):
        raise Exception("URL fetch failure on https://x/y.h5: None -- down")

    monkeypatch.setattr(stock, "VGG16", fail)
    with pytest.raises(OSError, match=r"weights=None.*models.*x/y.h5"):
        create_backbone("vgg16", weights="imagenet")


def test_other_failure_of_a_network_is_not_hidden(monkeypatch):
    def fail(**kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(stock, "VGG16", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        create_backbone("vgg16")
