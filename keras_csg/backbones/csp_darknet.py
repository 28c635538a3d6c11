import functools
from collections.abc import Sequence

import keras
from keras import layers

from keras_csg.backbones.registry import register_backbone


def build_features(
    images: keras.KerasTensor,
    weights: None = None,
    *,
    widths: Sequence[int],
    depths: Sequence[int],
) -> keras.KerasTensor:
    """Returns the feature map of a CSPDarkNet, the backbone of YOLOX.

    The network of keras-cv's `CSPDarkNetBackbone`, put together from layers of
    Keras: keras-cv's is made of nested models with `Lambda` layers, which
    Keras refuses to read back from a saved graph.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`, in 0..255,
            height and width even.
        weights: `None`.
        widths: sequence of ints. Number of filters in each stage.
        depths: sequence of ints. Number of bottlenecks in each stage.

    Returns:
        Keras tensor of shape `(batch, height / 32, width / 32, widths[-1])`.

    Reference:
        - [Ge et al., 2021](https://arxiv.org/abs/2107.08430)
    """
    x = layers.Rescaling(1 / 255, name="rescaling")(images)
    x = _convolution(_focus(x), widths[0] // 2, 3, 1, "stem")
    last = len(widths) - 1
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        name = f"stage{stage + 1}"
        x = _convolution(x, width, 3, 2, f"{name}_reduce")
        if stage == last:
            x = _pyramid_pooling(x, width, f"{name}_pyramid")
        x = _cross_stage(x, width, depth, stage != last, name)
    return x


def _focus(x):
    # Four pixels become four channels: half the size, nothing lost.
    corners = [x[:, i::2, j::2, :] for j in (0, 1) for i in (0, 1)]
    return layers.Concatenate(name="focus")(corners)


def _convolution(x, filters, size, strides, name):
    x = layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        name=f"{name}_conv",
    )(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation("silu", name=f"{name}_silu")(x)


def _pyramid_pooling(x, filters, name):
    x = _convolution(x, filters // 2, 1, 1, f"{name}_1")
    pooled = [
        layers.MaxPooling2D(size, 1, padding="same", name=f"{name}_pool{size}")(
            x
        )
        for size in (5, 9, 13)
    ]
    x = layers.Concatenate(name=f"{name}_concat")([x, *pooled])
    return _convolution(x, filters, 1, 1, f"{name}_2")


def _cross_stage(x, filters, depth, residual, name):
    """Half of the filters goes through the bottlenecks, half past them."""
    inside = _convolution(x, filters // 2, 1, 1, f"{name}_inside")
    past = _convolution(x, filters // 2, 1, 1, f"{name}_past")
    for index in range(1, depth + 1):
        block = f"{name}_block{index}"
        y = _convolution(inside, filters // 2, 1, 1, f"{block}_1")
        y = _convolution(y, filters // 2, 3, 1, f"{block}_2")
        if residual:
            y = layers.Add(name=f"{block}_add")([inside, y])
        inside = y
    x = layers.Concatenate(name=f"{name}_concat")([inside, past])
    return _convolution(x, filters, 1, 1, f"{name}_out")


for _name, _widths, _depths in (
    ("tiny", (48, 96, 192, 384), (1, 3, 3, 1)),
    ("s", (64, 128, 256, 512), (1, 3, 3, 1)),
    ("m", (96, 192, 384, 768), (2, 6, 6, 2)),
    ("l", (128, 256, 512, 1024), (3, 9, 9, 3)),
    ("xl", (170, 340, 680, 1360), (4, 12, 12, 4)),
):
    register_backbone(
        f"cspdarknet{_name}",
        family="CSPDarkNet",
        default_size=224,
        min_size=32,
        size_multiple=2,  # The first layer takes every second pixel.
    )(functools.partial(build_features, widths=_widths, depths=_depths))
