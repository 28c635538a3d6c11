"""Backbones whose weights are all at random, their statistics as well."""

import keras
import numpy as np

import keras_csg

# Whether the convolutions shrink and not head and gate alone; `None`: either.
FAMILIES = {
    "resnet20": True,
    "resnet18": True,
    "resnet50v2": True,
    "densenet121": True,
    "mobilenetv2": True,
    "mobilenetv3small": True,
    "efficientnetb0": True,
    "efficientnetliteb0": True,
    "nasnetmobile": True,
    "xception": True,
    "inceptionv3": True,
    "vgg16": True,
    "mitb0": False,
    "convnexttiny": None,
    "yolov8xs": None,
}
# A small size that each allows.
SIZES = {"inceptionv3": 75, "xception": 71, "nasnetmobile": 64}


def random_backbone(name, seed=0):
    keras.utils.set_random_seed(seed)
    size = SIZES.get(name, 32)
    backbone = keras_csg.create_backbone(
        name, input_shape=(size, size, 3), weights="random"
    )
    return with_random_statistics(backbone, seed)


def with_random_statistics(backbone, seed=0):
    """Gives every batch normalization weights that do something."""
    rng = np.random.default_rng(seed)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            for weight in layer.weights:
                around = 0.0 if "mean" in weight.path else 1.0
                around = 0.0 if "beta" in weight.path else around
                spread = rng.uniform(-0.4, 0.4, weight.shape)
                weight.assign(around + spread)
    return backbone


def random_images(model, count=3, seed=0):
    shape = (count, *model.input_shape[1:])
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 255, shape).astype("float32")


def assert_near(found, expected, tolerance=1e-5):
    """Compares with a tolerance that goes by the largest of all values."""
    largest = max(float(np.abs(expected).max()), 1.0)
    np.testing.assert_allclose(found, expected, atol=tolerance * largest)
