"""One network of every family, through every format and its own proof.

An untrained network would let much pass: its batch normalisation divides by
one, ConvNeXt's branches are scaled by 1e-6, its softmax is flat. So each gets
scales, offsets and running statistics of its own, and a head whose answers
differ from image to image.
"""

import shutil

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.backbones import describe_backbones
from keras_csg.backbones.registry import backbone_spec

pytestmark = pytest.mark.slow

# The smallest of each family, and of both makes where a family has two.
NETWORKS = {
    "CIFAR ResNet": ["resnet20"],
    "ConvNeXt": ["convnexttiny"],
    "CSPDarkNet": ["cspdarknettiny"],
    "DenseNet": ["densenet121"],
    "EfficientNet": ["efficientnetb0"],
    "EfficientNetLite": ["efficientnetliteb0"],
    "EfficientNetV2": ["efficientnetv2b0"],
    "InceptionResNetV2": ["inceptionresnetv2"],
    "InceptionV3": ["inceptionv3"],
    "MiT": ["mitb0"],
    "MobileNet": ["mobilenet"],
    "MobileNetV2": ["mobilenetv2"],
    "MobileNetV3": ["mobilenetv3small"],
    "NASNet": ["nasnetmobile"],
    "ResNet": ["resnet18", "resnet50"],
    "ResNetV2": ["resnet18v2", "resnet50v2"],
    "VGG": ["vgg16"],
    "Xception": ["xception"],
    "YOLOV8": ["yolov8xs"],
}
SUFFIXES = {
    "onnx": ".onnx",
    "litert": ".tflite",
    "saved_model": "",
    "openvino": "",
}
# A SavedModel is the graph that TensorFlow traced, which the other formats are
# converted from: it has every operation, so one network of each make will do,
# and the one whose layers are replaced.
SAVED_MODELS = ["resnet20", "mobilenetv2", "mitb0", "convnexttiny"]
# What a format cannot take: {(network, format): words of the refusal}.
REFUSED = {}
CLASSES = 10


def test_every_family_is_tried():
    families = {entry["family"] for entry in describe_backbones()}
    assert families == set(NETWORKS)
    for family, names in NETWORKS.items():
        assert {backbone_spec(name).family for name in names} == {family}


@pytest.fixture(
    scope="module", params=[n for names in NETWORKS.values() for n in names]
)
def network(request):
    """A classifier with statistics of its own, and images for it."""
    keras.utils.set_random_seed(0)
    side = 2 * backbone_spec(request.param).min_size  # Maps of several cells.
    model = keras_csg.build(
        request.param, num_classes=CLASSES, input_shape=(side, side, 3)
    )
    images = coloured_images(16, side)
    scatter_weights(model)
    take_statistics(model, images)
    yield request.param, model, images
    keras.backend.clear_session()


def coloured_images(samples, side):
    """Large patches of colour, under noise: images that are not all alike."""
    rng = np.random.default_rng(0)
    colours = rng.uniform(0, 255, (samples, 2, 2, 3))
    rows = np.arange(side) * 2 // side
    images = colours[:, rows][:, :, rows]
    images = images + rng.normal(0, 20, images.shape)
    return images.clip(0, 255).astype("float32")


def scatter_weights(model):
    """Gives scales, offsets and the gate values that an export could lose."""
    rng = np.random.default_rng(0)
    for weight in model.backbone.weights:
        if weight.path.endswith("gamma"):
            weight.assign(rng.uniform(0.7, 1.3, weight.shape))
        if weight.path.endswith(("beta", "bias")):
            weight.assign(rng.normal(0, 0.2, weight.shape))
    gate = rng.uniform(0, 1, (CLASSES, model.filters)) ** 3
    model.gate.gate_matrix.assign(gate / gate.max(axis=0))


def take_statistics(model, images):
    """Normalises by these images, and spreads the logits of the head."""
    norms = [
        layer
        for layer in model.backbone.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # One batch's statistics, and none before.
    model.features(images, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    set_head(model, np.asarray(model.features(images, training=False)))


def set_head(model, features):
    """Sets the head as training does: a class's own filters speak for it.

    With weights that cancel out, little would be left in a heatmap but the
    rounding, which dividing by its maximum makes large.
    """
    own = np.asarray(model.gate.gate_matrix).T == 1  # (filters, classes)
    noise = np.random.default_rng(0).normal(0, 0.3, own.shape)
    mean = features.mean(axis=0)
    kernel = own + noise
    logits = (features - mean) @ kernel
    # A deviation of one, what all classes of an image share aside: of an
    # untrained deep network float32 itself gets 1e-5 of it wrong.
    kernel /= (logits - logits.mean(axis=1, keepdims=True)).std()
    model.head.set_weights([kernel, -mean @ kernel])


@pytest.fixture
def folder(tmp_path):
    """A folder that is gone afterwards: all files together are gigabytes."""
    folder = tmp_path / "exports"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("format", ["onnx", "litert", "openvino"])
def test_converted_file_answers_as_the_model_does(network, format, folder):
    if format == "openvino":
        pytest.importorskip("openvino")
    check_export(network, format, folder)


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_half_the_size_answers_nearly_the_same(network, format, folder):
    """Of 16 images an untrained network is undecided about some."""
    if format == "openvino":
        pytest.importorskip("openvino")
    name, model, images = network
    path = folder / f"half{SUFFIXES[format]}"
    proof = keras_csg.export(
        *(model, path, format),
        quantize="float16",
        images=images,
        min_agreement=0.8,
    )
    assert proof["gaps"]["probabilities"] < 0.05
    weights = 4 * sum(w.size for w in model.backbone.get_weights())
    assert proof["bytes"] < 0.75 * weights + 2e5


@pytest.mark.parametrize("network", SAVED_MODELS, indirect=True)
def test_saved_model_answers_as_the_model_does(network, folder):
    check_export(network, "saved_model", folder)


def check_export(network, format, folder):
    name, model, images = network
    path = folder / f"exported{SUFFIXES[format]}"
    if (name, format) in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name, format]):
            keras_csg.export(model, path, format=format, images=images)
        assert not list(folder.iterdir())
        return
    proof = keras_csg.export(model, path, format=format, images=images)
    assert set(proof["gaps"]) == {
        "probabilities",
        "class_specific_probabilities",
        "filter_contributions",
        "evidence",
        "heatmap",
        "gate_agreement",
    }
    assert proof["agreement"] == 1
    # By the model itself: the proof must not have compared constants.
    logits = np.asarray(model(images, training=False))
    answer = keras_csg.open_exported(path).answer(images)
    probabilities = np.asarray(keras.ops.softmax(logits))
    np.testing.assert_allclose(
        answer["probabilities"], probabilities, atol=1e-4
    )
    assert len(set(logits.argmax(axis=-1))) >= 3
    assert 0.2 < probabilities.max(axis=-1).mean() < 0.99
