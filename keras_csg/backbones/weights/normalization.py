"""Whether two networks make the same of an image before the first weights."""

import keras
import numpy as np

from keras_csg.layers.image_normalization import ImageNormalization

# Values that tell the usual normalizations apart, channels in order.
COLOURS = ((0, 0, 0), (255, 255, 255), (10, 100, 200), (220, 120, 20))
TOLERANCE = 0.01
"""Share of the range of values: in bfloat16 they are that far apart."""
SCALING = (
    ImageNormalization,
    keras.layers.Rescaling,
    keras.layers.Normalization,
)


def check_normalization(source: keras.Model, backbone: keras.Model) -> None:
    """Compares what the first layers with weights get of plain colours.

    Args:
        source: `keras.Model` from images, the network that was trained.
        backbone: flat functional `keras.Model` that takes over its weights.

    Raises:
        ValueError: if it is not the same, naming both normalizations.
    """
    inputs = getattr(source, "inputs", None) or []
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ValueError(
            "`weights` must come from a functional model from one batch of "
            f"images. Received: {source.name!r} with {len(inputs)} inputs"
        )
    there, here = _normalization_of(source), _flat_normalization(backbone)
    expected, found = _values(here), _values(there)
    if expected.shape == found.shape and np.allclose(
        found, expected, rtol=0, atol=TOLERANCE * np.ptp(expected)
    ):
        return
    raise ValueError(
        f"`weights` must come from a network that normalizes images as "
        f"{backbone.name} does, by {_described(here)}; this one goes by "
        f"{_described(there)}. Where images were normalized before they went "
        "in, save its weights alone, as .weights.h5"
    )


def _flat_normalization(backbone):
    """Returns a flat backbone up to its first layer with weights."""
    first = next(layer for layer in backbone.layers if _has_weights(layer))
    return keras.Model(backbone.input, first.input)


def _normalization_of(network):
    """Returns any network up to its first layer with weights.

    Layers of models inside it count as its own.
    """
    images = keras.Input(network.inputs[0].shape[1:])
    latest, first = images, None

    def call(layer, *args, **kwargs):
        nonlocal latest, first
        if isinstance(layer, keras.Sequential):
            latest = args[0]
            for inner in layer.layers:
                call(inner, latest)
        elif isinstance(layer, keras.Model) and getattr(layer, "inputs", None):
            walk(layer, args[0])
        else:
            if first is None and _has_weights(layer):
                first = args[0]
            latest = layer(*args, **kwargs)
        return latest

    def walk(model, tensor):
        keras.models.clone_model(
            keras.Model(model.inputs[0], model.outputs),
            input_tensors=tensor,
            clone_function=lambda layer: layer,
            call_function=call,
        )

    walk(network, images)
    return keras.Model(images, latest if first is None else first)


def _has_weights(layer):
    return (
        isinstance(layer, keras.Layer)
        and bool(layer.weights)
        and not isinstance(layer, keras.layers.Normalization)
    )


def _values(normalization):
    """Returns what becomes of each colour, `(colours, channels)`."""
    shape = [side or 64 for side in normalization.input_shape[1:]]
    images = np.ones((len(COLOURS), *shape), "float32")
    images *= np.reshape(COLOURS, (-1, 1, 1, 3))
    given = keras.ops.cast(normalization(images, training=False), "float32")
    # The middle one: the edges may be padding.
    return np.median(keras.ops.convert_to_numpy(given), axis=(1, 2))


def _described(normalization):
    layers = [
        layer for layer in normalization.layers if isinstance(layer, SCALING)
    ]
    return " and ".join(map(_describe, layers)) or "none"


def _describe(layer):
    if isinstance(layer, ImageNormalization):
        return f"ImageNormalization({layer.mode!r})"
    if isinstance(layer, keras.layers.Rescaling):
        scale, offset = (
            np.round(value, 5).tolist() for value in (layer.scale, layer.offset)
        )
        return f"Rescaling({scale}, {offset})"
    return type(layer).__name__
