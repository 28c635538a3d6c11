import functools
from typing import Any

import keras
from keras import layers, ops

from keras_csg.backbones.registry import register_backbone
from keras_csg.layers.image_normalization import normalize_images

DEPTHS = (20, 32, 44, 56, 110)


@keras.saving.register_keras_serializable(package="keras_csg")
class PaddedShortcut(layers.Layer):
    """Carries features past a block that halves the map and adds filters.

    Option A of the paper: it takes every `strides`-th position and pads the
    filters with zeros on both sides, so it has no parameters.

    Args:
        filters: int. Number of filters afterwards.
        strides: int. Step between the positions that are kept.

    Call arguments:
        features: Tensor of shape `(batch, height, width, fewer_filters)`.

    Returns:
        Tensor of shape `(batch, ceil(height / strides), ceil(width / strides),
        filters)`.

    Reference:
        - [He et al., 2016](https://arxiv.org/abs/1512.03385), section 4.2
    """

    def __init__(self, filters: int, strides: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides

    def call(self, features: Any) -> Any:
        """Returns the thinned and padded features."""
        missing = self.filters - features.shape[-1]
        before = missing // 2
        # The largest of one: the same as a strided slice, whose gradient
        # TensorFlow computes ten times slower.
        kept = ops.max_pool(
            features, 1, self.strides, data_format="channels_last"
        )
        return ops.pad(
            kept, [(0, 0), (0, 0), (0, 0), (before, missing - before)]
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for serialisation."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
        }


def build_features(
    images: keras.KerasTensor, weights: None = None, *, depth: int
) -> keras.KerasTensor:
    """Returns the feature map of a residual network for small images.

    Three stages of `(depth - 2) / 6` basic blocks with 16, 32 and 64 filters;
    every shortcut is the identity.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`, in 0..255.
        weights: `None`: these networks are trained from scratch.
        depth: int. Number of layers with weights, `6 n + 2`, head included.

    Returns:
        Keras tensor of shape `(batch, height / 4, width / 4, 64)`.

    Reference:
        - [He et al., 2016](https://arxiv.org/abs/1512.03385), section 4.2
    """
    x = normalize_images(images, "torch")
    x = _convolution(x, 16, 1, "stem")
    x = layers.Activation("relu", name="stem_relu")(x)
    for stage, filters in enumerate((16, 32, 64), start=1):
        for block in range(1, (depth - 2) // 6 + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = _block(x, filters, strides, f"stage{stage}_block{block}")
    return x


def _block(x, filters, strides, name):
    shortcut = x
    if strides > 1:
        shortcut = PaddedShortcut(filters, strides, name=f"{name}_shortcut")(x)
    x = _convolution(x, filters, strides, f"{name}_1")
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = _convolution(x, filters, 1, f"{name}_2")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _convolution(x, filters, strides, name):
    x = layers.Conv2D(
        filters,
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, name=f"{name}_bn"
    )(x)


for _depth in DEPTHS:
    register_backbone(
        f"resnet{_depth}", family="CIFAR ResNet", default_size=32, min_size=8
    )(functools.partial(build_features, depth=_depth))
