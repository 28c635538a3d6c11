import difflib
import logging
import os
import warnings
from typing import Any

import keras

from keras_csg.arguments import whole_number
from keras_csg.backbones import create_backbone
from keras_csg.backbones.flattening import flat_features
from keras_csg.backbones.freezing import ADDED_CONVOLUTION, freeze_backbone
from keras_csg.backbones.registry import backbone_spec, chosen_weights
from keras_csg.backbones.weights import (
    WeightsReport,
    find_card,
    load_weights,
    means_a_file,
    report_named_weights,
)
from keras_csg.choices import RANDOM_WEIGHTS
from keras_csg.layers.image_normalization import normalize_images
from keras_csg.models.adopted import layers_with_maps, one_output
from keras_csg.models.arguments import listed_names
from keras_csg.models.class_names import check_named
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.gate_lines import resting_filters, scarce_filters
from keras_csg.models.shipped_parts import same_classes, trained_classifier

_logger = logging.getLogger("keras_csg")


def build(
    backbone: str | keras.Model,
    num_classes: int,
    *,
    weights: str | os.PathLike | None = None,
    input_shape: tuple | None = None,
    gate_at: str | None = None,
    filters: int | None = None,
    normalization: str | None = None,
    freeze: int | str | None = None,
    **kwargs: Any,
) -> CSGClassifier:
    """Builds an image classifier with a class-specific gate on any backbone.

    Args:
        backbone: str, one of `keras_csg.list_backbones()`, or `hub:PRESET`:
            the name of an image preset of KerasHub, a `kaggle://` or `hf://`
            handle, or a folder that `save_to_preset` wrote; or a `keras.Model`
            from one image tensor to one 4-D feature map, channels last, such
            as a KerasHub backbone; the classifier gets a copy of it.
        num_classes: int, at least 2.
        weights: for a backbone by name: `None` for random ones, or for those
            of the preset of `hub:PRESET`; `"random"`; `"imagenet"`; or a path:
            of a `.weights.h5` file of the backbone or of a model with it, of a
            `.keras` file, or of a run, whose classes may be others. All that
            the backbone needs must be there. Head and gate are not taken. Of
            weights that come with the package, such as
            `"cifar10"` (`keras_csg.list_weights()`), they are, where
            `num_classes` and `class_names` are theirs: then the classifier is
            a trained one, and `kwargs` are as it was trained, unless given.
            `backbone_weights` of the classifier says what was taken.
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
        freeze: what of the backbone rests in training: `"all"` of it, but not
            the convolution of `filters`; its first layers with weights, by
            their number, in the order of `summary()` and with batch
            normalizations counted; the `"statistics"` of its batch
            normalizations; or nothing, `None`. Where all rests and `filters`
            adds none, a warning says that none can become class-specific.
        **kwargs: arguments of `CSGClassifier`: `gated`, `multi_label`,
            `lambda_1` to `lambda_6`, `filter_dropout`, `density`,
            `closing_steps`, `schedule`, `batch_statistics`, `backbone_rate`,
            `class_names`, `name`.

    Returns:
        A `CSGClassifier`, built but not compiled.

    Raises:
        ValueError: if a name is unknown (the nearest are listed), the image is
            too small for the backbone, the model is no backbone, the weights
            are not the backbone's, or a class has an empty name.
        OSError: if the weights cannot be downloaded.

    Example:
    >>> model = keras_csg.build("resnet50", num_classes=1000)
    """
    names = kwargs.get("class_names")
    if names is not None:  # An array has no truth value, an iterator ends.
        names = kwargs["class_names"] = listed_names(names)
    check_named(names)
    features, report = build_backbone(
        backbone,
        weights=weights,
        input_shape=input_shape,
        gate_at=gate_at,
        filters=filters,
        normalization=normalization,
        freeze=freeze,
    )
    other = filters or gate_at or kwargs.get("multi_label")
    card = None if other else find_card(weights)
    if card and report and same_classes(card, num_classes, names):
        model = trained_classifier(features, card, report, **kwargs)
    else:
        model = CSGClassifier(features, num_classes, **kwargs)
        model.backbone_weights = report
    if report is not None:
        _logger.info("%s", model.backbone_weights)
    lines = (scarce_filters, resting_filters) if model.gated else ()
    for line in filter(None, (said(model) for said in lines)):
        warnings.warn(line, stacklevel=2)
    return model


def build_backbone(
    backbone: str | keras.Model,
    *,
    weights: str | os.PathLike | None = None,
    input_shape: tuple | None = None,
    gate_at: str | None = None,
    filters: int | None = None,
    normalization: str | None = None,
    freeze: int | str | None = None,
) -> tuple[keras.Model, WeightsReport | None]:
    """Builds the backbone of a classifier; see `build`.

    Args:
        backbone: as of `build`.
        weights: as of `build`.
        input_shape: as of `build`.
        gate_at: as of `build`.
        filters: as of `build`.
        normalization: as of `build`.
        freeze: as of `build`.

    Returns:
        A tuple of the functional `keras.Model`, from images to the maps that
        are gated, and `WeightsReport`, `None` without `weights`.

    Raises:
        ValueError: as `build`.
        OSError: as `build`.
    """
    reserved = ["images"]
    if normalization not in (None, "none"):
        reserved.append("image_normalization")
    if filters is not None:
        reserved.append(ADDED_CONVOLUTION)
    if isinstance(backbone, str):
        weights = chosen_weights(backbone_spec(backbone), weights)
    if not isinstance(backbone, str):
        backbone = one_output(backbone, gate_at)
    whole = _whole(backbone, weights, input_shape, normalization, reserved)
    pretrained = whole if gate_at is None else _cut(whole, gate_at)
    features = pretrained
    if filters is not None:
        features = _narrow(pretrained, filters)
    _check_maps(features)
    report = None if weights is None else _load(whole, weights, features)
    freeze_backbone(pretrained, freeze)
    return features, report


def _load(whole, weights, features):
    """Loads weights from a path; those with a name are there already."""
    if means_a_file(weights):
        return load_weights(whole, weights, features)
    return report_named_weights(whole, weights, features)


def _whole(backbone, weights, input_shape, normalization, reserved):
    """Returns all of a backbone, with the weights that have a name."""
    if isinstance(backbone, str):
        if normalization is not None:
            raise ValueError(
                "`normalization` is for a backbone given as a model; "
                f"{backbone!r} has its own. "
                f"Received: normalization={normalization!r}"
            )
        card = find_card(weights)
        if card is not None and card.backbone != backbone:
            raise ValueError(
                f"The weights {card.name!r} are those of {card.backbone!r}. "
                f"Received: backbone={backbone!r}"
            )
        by_name = weights is not None and not means_a_file(weights)
        named = weights if by_name else RANDOM_WEIGHTS
        return create_backbone(backbone, input_shape=input_shape, weights=named)
    return _adopt(backbone, weights, input_shape, normalization, reserved)


def _adopt(backbone, weights, input_shape, normalization, reserved):
    """Returns a user's model as a flat backbone that takes 0..255 images."""
    for name, value in {"weights": weights, "input_shape": input_shape}.items():
        if value is not None:
            raise ValueError(
                f"`{name}` is for a backbone by name; the model brings its "
                f"own. Received: {name}={value!r}"
            )
    network = keras.Model(backbone.inputs[0], backbone.outputs[0])
    images = keras.Input(network.inputs[0].shape[1:], name="images")
    normalized = normalize_images(images, normalization)
    features = flat_features(network, normalized, reserved=reserved)
    return keras.Model(images, features, name=backbone.name)


def _cut(backbone, layer_name):
    """Returns the backbone up to a layer with a 4-D output."""
    maps = layers_with_maps(backbone)
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
    maps = keras.layers.Conv2D(
        whole_number("filters", filters, 1),
        3,
        padding="same",
        activation="relu",
        kernel_initializer="he_normal",
        name=ADDED_CONVOLUTION,
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
