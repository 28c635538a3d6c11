"""Layers that exporters understand, in the place of some they do not."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_csg.layers.frozen_statistics import (
    FrozenStatisticsBatchNormalization,
)
from keras_csg.layers.image_normalization import ImageNormalization


def plain_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Returns what goes into an exported model in the place of a layer.

    Args:
        layer: `keras.layers.Layer`.

    Returns:
        A layer that computes the same in float32, with the same weights; but
        what only scales and shifts the images, by figures that are weights or
        not, is a `Rescaling`.
    """
    if type(layer) is keras.layers.Normalization:
        return _rescaling(layer)
    if type(layer) is ImageNormalization and layer.mode != "caffe":
        return _measured_rescaling(layer)
    config = _plain_config(layer.get_config())
    if type(layer) is FrozenStatisticsBatchNormalization:
        return keras.layers.BatchNormalization.from_config(config)
    if type(layer) is keras.layers.Conv2D and layer.groups > 1:
        return GroupedConv2D.from_config(config)
    return layer.__class__.from_config(config)


@keras.saving.register_keras_serializable(package="keras_csg")
def exact_gelu(x: Any) -> Any:
    """Computes the Gaussian error linear unit through the error function.

    Keras takes the complementary one, which few runtimes have.

    Args:
        x: float tensor.

    Returns:
        Tensor of its shape.
    """
    return 0.5 * x * (1.0 + ops.erf(x * np.float32(np.sqrt(0.5))))


@keras.saving.register_keras_serializable(package="keras_csg")
class GroupedConv2D(keras.layers.Conv2D):
    """A grouped convolution as one convolution for each group.

    Keras's own calls XLA, which no exported format has.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Returns the convolutions of the groups, one after the other."""
        return ops.concatenate(
            [
                ops.conv(
                    some,
                    some_kernel,
                    strides=list(self.strides),
                    padding=self.padding,
                    dilation_rate=self.dilation_rate,
                    data_format=self.data_format,
                )
                for some, some_kernel in zip(
                    ops.split(inputs, self.groups, axis=-1),
                    ops.split(kernel, self.groups, axis=-1),
                    strict=True,
                )
            ],
            axis=-1,
        )


def _plain_config(config):
    """Returns a config in float32, with a GELU that can be exported."""
    if isinstance(config, list | tuple):
        return type(config)(_plain_config(value) for value in config)
    if not isinstance(config, dict):
        return config
    if str(config.get("class_name")).endswith("DTypePolicy"):
        return "float32"
    config = {key: _plain_config(value) for key, value in config.items()}
    if config.get("activation") == "gelu":
        config["activation"] = exact_gelu
    return config


def _rescaling(layer):
    """Returns a normalisation by given figures as a rescaling.

    It holds them as tensors, and those would become inputs of the file.
    """
    mean, variance = (
        ops.convert_to_numpy(value)[0].astype("float64")  # For all images.
        for value in (layer.mean, layer.variance)
    )
    scale = 1 / np.maximum(np.sqrt(variance), keras.config.epsilon())
    if layer.invert:
        scale, mean = 1 / scale, -mean * scale
    return _make_rescaling(layer.name, scale, -mean * scale)


def _measured_rescaling(layer):
    """Returns one scale and one shift for a chain of them.

    Black and white tell both, as long as no channel changes places.
    """
    black, white = (
        ops.convert_to_numpy(layer(np.full((1, 1, 1, 3), value, "float32")))
        .reshape(-1)
        .astype("float64")
        for value in (0, 255)
    )
    return _make_rescaling(layer.name, (white - black) / 255, black)


def _make_rescaling(name, scale, offset):
    return keras.layers.Rescaling(
        scale.tolist(), offset.tolist(), dtype="float32", name=name
    )
