import difflib
from typing import Any

import keras

from keras_csg.backbones import create_backbone
from keras_csg.backbones.flattening import flat_features
from keras_csg.layers.image_normalization import normalize_images
from keras_csg.models.classifier import CSGClassifier


def build(
    backbone: str | keras.Model,
    num_classes: int,
    *,
    weights: str | None = None,
    input_shape: tuple | None = None,
    gate_at: str | None = None,
    filters: int | None = None,
    normalization: str | None = None,
    **kwargs: Any,
) -> CSGClassifier:
    """Builds an image classifier with a class-specific gate on any backbone.

    Args:
        backbone: str, one of `keras_csg.list_backbones()`, or a `keras.Model`
            from one image tensor to one 4-D feature map, channels last, such
            as a KerasHub backbone; the classifier gets a copy of it.
        num_classes: int, at least 2.
        weights: `None` or `"imagenet"`; for a backbone by name.
        input_shape: tuple `(height, width, 3)`; for a backbone by name.
            Defaults to the size the network was designed for.
        gate_at: str. Name of the layer whose 4-D output is gated instead of
            the backbone's last. What lies behind it is dropped.
        filters: int. Puts a 3x3 convolution with this many filters, and a
            ReLU, before the gate: fewer filters than the backbone's own are
            easier to look at.
        normalization: `"caffe"`, `"tf"` or `"torch"`: what to do to RGB images
            in 0..255 before a backbone given as a model. A backbone by name
            brings its own.
        **kwargs: arguments of `CSGClassifier`: `gated`, `lambda_1`,
            `lambda_2`, `lambda_3`, `filter_dropout`, `density`, `schedule`,
            `batch_statistics`, `class_names`, `name`.

    Returns:
        A `CSGClassifier`, built but not compiled.

    Raises:
        ValueError: if a name is unknown (the nearest are listed), the image is
            too small for the backbone, or the model is no backbone.

    Example:
    >>> model = keras_csg.build("resnet50", num_classes=1000)
    """
    if isinstance(backbone, str):
        if normalization is not None:
            raise ValueError(
                "`normalization` is for a backbone given as a model; "
                f"{backbone!r} has its own. "
                f"Received: normalization={normalization!r}"
            )
        features = create_backbone(
            backbone, input_shape=input_shape, weights=weights
        )
    else:
        features = _adopt(backbone, weights, input_shape, normalization)
    if gate_at is not None:
        features = _cut(features, gate_at)
    if filters is not None:
        features = _narrow(features, filters)
    _check_maps(features)
    return CSGClassifier(features, num_classes, **kwargs)


def _adopt(backbone, weights, input_shape, normalization):
    """Returns a user's model as a flat backbone that takes 0..255 images."""
    if not isinstance(backbone, keras.Model):
        raise ValueError(
            "`backbone` must be a name or a `keras.Model`. "
            f"Received: backbone={backbone!r}"
        )
    for name, value in {"weights": weights, "input_shape": input_shape}.items():
        if value is not None:
            raise ValueError(
                f"`{name}` is for a backbone by name; the model brings its "
                f"own. Received: {name}={value!r}"
            )
    inputs = keras.tree.flatten(getattr(backbone, "inputs", None) or [])
    if len(inputs) != 1 or len(keras.tree.flatten(backbone.outputs)) != 1:
        raise ValueError(
            "`backbone` must be a functional or built sequential model with "
            "one input and one output. "
            f"Received: backbone={backbone.name!r} with {len(inputs)} inputs"
        )
    (maps,) = keras.tree.flatten(backbone.outputs)
    network = keras.Model(inputs[0], maps)  # Plain, whatever class it was.
    images = keras.Input(inputs[0].shape[1:], name="images")
    normalized = normalize_images(images, normalization)
    return keras.Model(
        images, flat_features(network, normalized), name=backbone.name
    )


def _cut(backbone, layer_name):
    """Returns the backbone up to a layer with a 4-D output."""
    maps = {
        layer.name: layer.output
        for layer in backbone.layers
        if len(getattr(layer.output, "shape", ())) == 4
    }
    if layer_name not in maps:
        near = difflib.get_close_matches(layer_name, maps, 3) or list(maps)[-3:]
        raise ValueError(
            f"`gate_at` must name a layer of {backbone.name} with a 4-D "
            f"output, such as {', '.join(near)}. "
            f"Received: gate_at={layer_name!r}"
        )
    return keras.Model(backbone.input, maps[layer_name], name=backbone.name)


def _narrow(backbone, filters):
    """Returns the backbone with a 3x3 convolution of `filters` behind it."""
    if filters < 1:
        raise ValueError(
            f"`filters` must be at least 1. Received: filters={filters}"
        )
    maps = keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name="gated_conv",
    )(backbone.output)
    return keras.Model(backbone.input, maps, name=backbone.name)


def _check_maps(backbone):
    shape = backbone.output_shape
    if len(shape) != 4 or shape[-1] is None:
        raise ValueError(
            "`backbone` must give feature maps of shape (batch, height, "
            "width, filters); name a layer that does with `gate_at`. "
            f"Received: output_shape={shape}"
        )
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "keras-csg needs channels-last images: "
            "`keras.config.set_image_data_format('channels_last')`. "
            f"Received: {keras.config.image_data_format()!r}"
        )
