"""One network of each family, at its smallest size."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.backbones import create_backbone, list_backbones
from keras_csg.backbones.registry import backbone_spec

SMALLEST = {
    "CIFAR ResNet": "resnet20",
    "ConvNeXt": "convnexttiny",
    "CSPDarkNet": "cspdarknettiny",
    "DenseNet": "densenet121",
    "EfficientNet": "efficientnetb0",
    "EfficientNetLite": "efficientnetliteb0",
    "EfficientNetV2": "efficientnetv2b0",
    "InceptionResNetV2": "inceptionresnetv2",
    "InceptionV3": "inceptionv3",
    "MiT": "mitb0",
    "MobileNet": "mobilenet",
    "MobileNetV2": "mobilenetv2",
    "MobileNetV3": "mobilenetv3small",
    "NASNet": "nasnetmobile",
    "ResNet": "resnet18",
    "ResNetV2": "resnet18v2",
    "VGG": "vgg16",
    "Xception": "xception",
    "YOLOV8": "yolov8xs",
}
SLOW = {
    "cspdarknettiny",
    "mobilenetv2",
    "resnet18v2",
    "yolov8xs",
    "mitb0",
    "mobilenetv3small",
    "convnexttiny",
    "densenet121",
    "efficientnetb0",
    "efficientnetliteb0",
    "efficientnetv2b0",
    "inceptionresnetv2",
    "inceptionv3",
    "nasnetmobile",
    "xception",
}

# NumPy 2 asks for an argument that Keras's variables do not know when saved.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword"
    ":DeprecationWarning"
)


@pytest.fixture(autouse=True)
def fresh_session():
    yield
    keras.config.set_dtype_policy("float32")
    keras.backend.clear_session()


def create_smallest(name):
    side = backbone_spec(name).min_size
    return create_backbone(name, input_shape=(side, side, 3))


def random_images(model, count=2):
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(0).uniform(0, 255, shape).astype("float32")


def test_every_family_is_tried():
    families = {backbone_spec(name).family for name in list_backbones()}
    assert families == set(SMALLEST)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in SMALLEST.values()
    ],
)
def test_backbone_trains_and_comes_back_from_its_file(name, tmp_path):
    model = create_smallest(name)
    assert not [x for x in model.layers if isinstance(x, keras.Model)]
    images = random_images(model)
    before = [np.array(w) for w in model.trainable_weights]
    take_a_step(model, images)
    changed = [
        np.any(np.asarray(w) != old)
        for w, old in zip(model.trainable_weights, before, strict=True)
    ]
    assert np.mean(changed) > 0.5

    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    features = model(images, training=False)
    assert features.shape[-1] == model.output_shape[-1]
    assert_array_equal(again(images, training=False), features)


def take_a_step(backbone, images):
    pooled = keras.layers.GlobalAveragePooling2D()(backbone.output)
    logits = keras.layers.Dense(3)(pooled)
    classifier = keras.Model(backbone.input, logits)
    classifier.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,  # One step is not worth a graph.
    )
    loss = classifier.train_on_batch(images, np.arange(len(images)) % 3)
    assert np.isfinite(loss)


@pytest.mark.parametrize(
    "name",
    [
        "resnet20",
        "resnet18",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("mitb0", "cspdarknettiny", "mobilenetv2")
        ),
    ],
)
def test_backbone_follows_the_dtype_policy(name, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = create_smallest(name)
    images = random_images(model)
    assert model.output.dtype == "bfloat16"
    assert {w.dtype for w in model.trainable_weights} == {"float32"}

    path = tmp_path / "model.keras"
    model.save(path)
    keras.config.set_dtype_policy("float32")
    again = keras.saving.load_model(path)
    assert_array_equal(
        np.asarray(again(images), "float32"),
        np.asarray(model(images), "float32"),
    )


@pytest.mark.parametrize("name", ["resnet18", "mitb0", "mobilenetv2"])
def test_backbone_takes_oblong_images(name):
    model = create_backbone(name, input_shape=(64, 96, 3))
    assert model.output_shape[1:3] == (2, 3)
    assert model(random_images(model)).shape[1:3] == (2, 3)


def test_each_sample_is_on_its_own_at_inference():
    model = create_smallest("mitb0")
    images = random_images(model, count=3)
    assert_allclose(model(images)[1:2], model(images[1:2]), atol=1e-5)
