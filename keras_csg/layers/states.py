"""What layers have learnt or were adapted to, from one to its copy.

A layer may compute with more than its weights: what it derives from them when
they are loaded, as `keras.layers.Normalization` does, or a vocabulary in a file
of its own. `set_weights` knows of neither, so nothing here copies by it alone.
"""

import contextlib
import tempfile
from typing import Any

import keras
from keras import ops

from keras_csg.private_api import flat_layers


def fresh_copy(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Returns a layer made as another one, of its name, not yet built.

    The configuration of a layer that has no `get_config` of its own does not
    tell its name.

    Args:
        layer: `keras.layers.Layer`.
    """
    copy = layer.__class__.from_config(layer.get_config())
    copy.name = layer.name
    return copy


def take_state(layer: keras.layers.Layer, source: keras.layers.Layer) -> None:
    """Gives a layer all that another one computes with.

    The way of a `.keras` file: each layer, also those inside it, hands over
    what it would save, and loads that. Where the two are not made alike the
    weights are taken in their order, each in the shape it has here.

    Args:
        layer: `keras.layers.Layer` or `keras.Model`, built.
        source: the layer that it is a copy of, or stands for.

    Raises:
        ValueError: if the weights do not fit.
    """
    pairs = [*zip(flat_layers(layer), flat_layers(source), strict=False)]
    if _made_alike(layer, source, pairs):
        for copy, original in pairs:
            _load_what_it_saves(copy, original)
    else:
        _take_weights(layer, source)
        derive_state(layer)


def derive_state(layer: keras.layers.Layer) -> None:
    """Has a layer compute anew what it derives from its weights.

    After they were assigned one by one. Nothing else changes.

    Args:
        layer: `keras.layers.Layer` or `keras.Model`, built.
    """
    for inner in flat_layers(layer):
        if inner.weights and _derives(inner):
            _load(inner, _saved(inner))


def _made_alike(layer, source, pairs):
    # By `__class__`: a faster layer passes for the one of Keras it stands for.
    return len(flat_layers(layer)) == len(flat_layers(source)) and all(
        copy.__class__ is original.__class__
        and [*map(_shape, copy.weights)] == [*map(_shape, original.weights)]
        for copy, original in pairs
    )


def _shape(weight):
    return tuple(weight.shape)


def _load_what_it_saves(layer, source):
    _load(layer, _saved(source))
    if hasattr(source, "save_assets") and hasattr(layer, "load_assets"):
        with tempfile.TemporaryDirectory() as folder:
            source.save_assets(folder)
            with contextlib.suppress(FileNotFoundError):  # Nothing to save.
                layer.load_assets(folder)


def _saved(layer) -> dict[str, Any]:
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    return {
        # Arrays: on JAX two variables must not have one, which a step gives
        # away.
        name: ops.convert_to_numpy(value)
        for name, value in store.items()
    }


def _load(layer, store):
    if store:
        layer.load_own_variables(store)
    finalize = getattr(layer, "finalize_state", None)
    # Keras's own derive what they need when they load, and some of them
    # forget by it what they were adapted to.
    if finalize is not None and not _is_of_keras(finalize):
        finalize()


def _derives(layer):
    """Whether a layer may compute with more than its weights."""
    return hasattr(layer, "finalize_state") or not _is_of_keras(
        layer.load_own_variables
    )


def _is_of_keras(method):
    return getattr(method, "__module__", "").partition(".")[0] == "keras"


def _take_weights(layer, source):
    """Takes the weights in their order, reshaped where need be."""
    layer.set_weights(
        [
            old.reshape(new.shape)
            for old, new in zip(
                source.get_weights(), layer.weights, strict=True
            )
        ]
        if layer.weights
        else []
    )
