"""KerasHub's image networks by preset, as backbones of this package."""

import functools
import inspect
import math
import re

import keras

from keras_csg.backbones.flattening import as_depthwise, flat_features
from keras_csg.backbones.freezing import ADDED_CONVOLUTION
from keras_csg.backbones.hub_presets import (
    HubPreset,
    find_preset,
    reading,
)
from keras_csg.backbones.registry import BackboneSpec, register_prefix
from keras_csg.backbones.weights.model_file import reason_of
from keras_csg.choices import HUB_PREFIX, PRESET_WEIGHTS

NORMALIZATION = "image_normalization"
RESERVED = ("images", NORMALIZATION, ADDED_CONVOLUTION)
SHAPES = ("image_shape", "input_shape")
"""What KerasHub's classes call the shape of their images."""


@register_prefix(HUB_PREFIX)
def preset_spec(name: str) -> BackboneSpec:
    """Returns what is known of a preset before its network is built.

    Args:
        name: str, with `hub:`.

    Raises:
        ValueError: as `find_preset`.
        OSError: as `find_preset`.
    """
    preset = find_preset(name.removeprefix(HUB_PREFIX))
    return BackboneSpec(
        name=HUB_PREFIX + preset.name,
        family=preset.family,
        default_size=preset.image_size,
        min_size=1,  # Nobody knows before the network is built.
        weights=(PRESET_WEIGHTS,),
        default_weights=PRESET_WEIGHTS,
        # Keras takes no name with "/" in it.
        model_name=re.sub(r"\W+", "_", re.split("[/:]", preset.name)[-1]),
        builder=functools.partial(build_features, preset=preset),
    )


def build_features(
    images: keras.KerasTensor,
    weights: str | None = None,
    *,
    preset: HubPreset,
) -> keras.KerasTensor:
    """Returns the feature map of a preset's network.

    The network is made of layers of Keras's where its own can be rebuilt each
    by itself. Where KerasHub can only save it as a whole, as it does vision
    transformers, it stays one layer.

    Args:
        images: Keras tensor of shape `(batch, height, width, 3)`, in 0..255.
        weights: `"preset"`, or `None` for random ones.
        preset: `HubPreset`.

    Returns:
        Keras tensor of shape `(batch, rows, columns, filters)`. Of a network
        that gives tokens, `(batch, rows * columns, filters)`, they are laid
        out as the patches are.

    Raises:
        ValueError: if the network cannot take images of this shape, or gives
            neither one map nor the tokens of a square of patches.
        OSError: if the weights cannot be downloaded.
    """
    network = _load(preset, tuple(images.shape[1:]), weights)
    if len(network.inputs) != 1:
        raise ValueError(
            "The backbone must have one input, the images. "
            f"Received: {preset.name!r} with {len(network.inputs)}"
        )
    scaled = _scale(images, preset.converter)
    if all(map(_stands_alone, network.layers)):
        plain = keras.Model(network.inputs[0], _last(network.output))
        features = flat_features(plain, scaled, as_depthwise, RESERVED)
    else:
        inputs = keras.tree.map_structure(lambda _: scaled, network.input)
        # A layer of its own: what looks for the maps takes the last layer's
        # output, and the network may give one for each stage.
        features = keras.layers.Activation("linear", name="maps_out")(
            _last(network(inputs))
        )
    return features if len(features.shape) == 4 else _as_map(features, images)


def _load(preset, shape, weights):
    """Returns the `keras_hub.models.Backbone` for images of a shape."""
    arguments = inspect.signature(preset.backbone_class).parameters
    given = {name: shape for name in SHAPES if name in arguments}
    given["dtype"] = keras.config.dtype_policy()
    load = functools.partial(preset.backbone_class.from_preset, preset.name)
    if weights is None:
        return _for_shape(shape, preset, lambda: load(False, **given))
    with reading(preset.name):
        return _for_shape(shape, preset, lambda: load(**given))


def _for_shape(shape, preset, build):
    try:
        return build()
    except ValueError as error:
        side = preset.image_size
        raise ValueError(
            f"{preset.family} cannot be built for images of shape {shape} "
            f"from what {preset.name} holds; the preset's own size is "
            f"{side}x{side} ({reason_of(error)})"
        ) from error


def _scale(images, converter):
    """Puts behind images what the preset does to them, but for their size.

    In float32 whatever the dtype policy, as `normalize_images`.
    """
    if converter.scale is None and converter.offset is None:
        return images
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return keras.layers.Rescaling(
        scale, offset, dtype="float32", name=NORMALIZATION
    )(images)


def _stands_alone(layer):
    """Whether a layer gives one tensor, and its configuration describes it.

    Keras asks the latter of all layers; many of KerasHub's do not do it.
    """
    if type(layer).__module__.partition(".")[0] == "keras":
        return True
    try:
        config = layer.get_config()
        again = type(layer).from_config(config).get_config()
    except (TypeError, ValueError):
        return False
    return again == config and isinstance(layer.output, keras.KerasTensor)


def _last(outputs):
    """Returns the map of the last stage, where there is one of each."""
    return [*outputs.values()][-1] if isinstance(outputs, dict) else outputs


def _as_map(tokens, images):
    """Lays tokens out as the square of patches that they come from."""
    height, width = images.shape[1:3]
    count, filters = tokens.shape[1:] if len(tokens.shape) == 3 else (0, 0)
    side = math.isqrt(count or 0)
    square = height == width and height is not None
    if not count or not square or side**2 != count or height % side:
        raise ValueError(
            "A network that gives tokens must give one for each patch of a "
            "square image, and none for the class beside them. Received: an "
            f"output of shape {tuple(tokens.shape)} for images of "
            f"{height}x{width}"
        )
    return keras.layers.Reshape((side, side, filters), name="patches")(tokens)
