import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.backbones import create_backbone, describe_backbones
from keras_csg.layers.image_normalization import ImageNormalization

pytestmark = pytest.mark.slow


SHAPE = (64, 64, 3)


@pytest.fixture(autouse=True)
def fresh_session():
    yield
    keras.backend.clear_session()


@pytest.fixture(scope="module")
def keras_cv_models():
    import keras_cv

    return keras_cv.models


def parameters(name):
    """From the catalogue, which a slow test holds against the networks."""
    (entry,) = [x for x in describe_backbones() if x["name"] == name]
    return entry["parameters"]


def published_by(backbone_class, preset):
    return backbone_class.presets[preset]["metadata"]["params"]


@pytest.mark.parametrize("depth", [18, 34])
def test_resnets_are_of_keras_cvs_size(keras_cv_models, depth):
    assert parameters(f"resnet{depth}") == published_by(
        keras_cv_models.ResNetBackbone, f"resnet{depth}"
    )
    assert parameters(f"resnet{depth}v2") == published_by(
        keras_cv_models.ResNetV2Backbone, f"resnet{depth}_v2"
    )


@pytest.mark.parametrize("size", ["tiny", "s", "m", "l", "xl"])
def test_csp_darknets_are_of_keras_cvs_size(keras_cv_models, size):
    assert parameters(f"cspdarknet{size}") == published_by(
        keras_cv_models.CSPDarkNetBackbone, f"csp_darknet_{size}"
    )


@pytest.mark.parametrize("size", ["xs", "s", "m", "l", "xl"])
def test_yolo_v8_backbones_are_of_keras_cvs_size(keras_cv_models, size):
    assert parameters(f"yolov8{size}") == published_by(
        keras_cv_models.YOLOV8Backbone, f"yolo_v8_{size}_backbone"
    )


@pytest.mark.parametrize("size", ["b0", "b1", "b2", "b3", "b4", "b5"])
def test_mix_transformers_are_keras_cvs_without_a_head(keras_cv_models, size):
    head = 10 * ((256 if size == "b0" else 512) + 1)
    assert parameters(f"mit{size}") + head == published_by(
        keras_cv_models.MiTBackbone, f"mit_{size}"
    )


def test_efficientnet_lite_has_the_published_size():
    model = create_backbone("efficientnetliteb0", input_shape=SHAPE)
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    head = 1000 * (1280 + 1)
    assert trainable + head == 4_652_008


def test_resnet_computes_what_keras_cvs_does(keras_cv_models):
    stock = keras_cv_models.ResNetBackbone(
        stackwise_filters=[64, 128, 256, 512],
        stackwise_blocks=[2, 2, 2, 2],
        stackwise_strides=[1, 2, 2, 2],
        include_rescaling=False,
        block_type="basic_block",
        input_shape=SHAPE,
    )
    model = create_backbone("resnet18", input_shape=SHAPE)
    stock.set_weights(model.get_weights())
    images = np.random.default_rng(0).uniform(0, 255, (2, *SHAPE))
    expected = stock(ImageNormalization("torch")(images), training=False)
    assert_allclose(model(images, training=False), expected, atol=1e-4)


def darknet_order(depth, stage):
    name = f"stage{stage}"
    blocks = [f"{name}_block{i}_{j}" for i in range(1, depth + 1) for j in "12"]
    return [f"{name}_inside", f"{name}_past", *blocks, f"{name}_out"]


@pytest.mark.slow
def test_csp_darknet_computes_what_keras_cvs_does(keras_cv_models):
    stock = keras_cv_models.CSPDarkNetBackbone(
        stackwise_channels=[48, 96, 192, 384],
        stackwise_depth=[1, 3, 3, 1],
        include_rescaling=True,
        input_shape=SHAPE,
    )
    model = create_backbone("cspdarknettiny", input_shape=SHAPE)
    scatter_weights(model)
    for stage, depth in enumerate((1, 3, 3, 1), start=1):
        layer = stock.get_layer(f"dark{stage + 1}_csp")
        parts = [layer.darknet_conv1, layer.darknet_conv2]
        parts += [*layer.bottleneck_convs, layer.darknet_conv3]
        for part, name in zip(parts, darknet_order(depth, stage), strict=True):
            part.set_weights(weights_of(model, name))
        reduce = stock.get_layer(f"dark{stage + 1}_conv")
        reduce.set_weights(weights_of(model, f"stage{stage}_reduce"))
    stock.get_layer("stem_conv").set_weights(weights_of(model, "stem"))
    for number in "12":
        pyramid = stock.get_layer(f"dark5_spp_conv{number}")
        pyramid.set_weights(weights_of(model, f"stage4_pyramid_{number}"))

    images = np.random.default_rng(0).uniform(0, 255, (2, *SHAPE))
    features = np.asarray(model(images, training=False))
    assert np.std(features) > 1e-3
    expected = stock(images, training=False)
    assert_allclose(features, expected, atol=1e-4 * np.max(np.abs(features)))


def scatter_weights(model):
    """Gives every weight another value, so that mixed-up layers show."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        noise = rng.uniform(0.5, 1.5, weight.shape)
        if "kernel" in weight.path:
            noise = (noise - 1) * 4 / np.sqrt(np.prod(weight.shape[:-1]))
        weight.assign(noise)


def weights_of(model, name):
    return [
        weight
        for suffix in ("conv", "bn")
        for weight in model.get_layer(f"{name}_{suffix}").get_weights()
    ]
