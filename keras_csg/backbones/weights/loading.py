"""Puts weights into a backbone: all that it needs, or none."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

import h5py
import keras

from keras_csg.backbones.weights.matching import match_layers
from keras_csg.backbones.weights.model_file import (
    DAMAGE,
    check_finite,
    read_model_file,
    reason_of,
)
from keras_csg.backbones.weights.normalization import check_normalization
from keras_csg.backbones.weights.report import WeightsReport
from keras_csg.backbones.weights.source import find_source
from keras_csg.backbones.weights.stored_layers import read_layers


def load_weights(
    backbone: keras.Model, weights: str | os.PathLike, used: keras.Model
) -> WeightsReport:
    """Loads the weights of a file or a run into a backbone, by layer and shape.

    Every weight of the backbone must be there. Layers that were not named are
    found by their class and order. Head and gate of a classifier are not
    taken, even where the classes are the same: they are what is trained anew.

    Args:
        backbone: the whole backbone, as `create_backbone` returns it.
        weights: path of a `.weights.h5` file, of a backbone or a model with
            one; of a `.keras` file; or of a finished run.
        used: `keras.Model` made of the backbone's layers. Those that it has
            not are not needed; those that it has beside them are new.

    Returns:
        `WeightsReport`.

    Raises:
        ValueError: if the file cannot be read, lacks weights of the backbone,
            has some that are no numbers, or comes from a network with another
            normalization. The backbone is of no use then.
    """
    source = find_source(weights)
    with tempfile.TemporaryDirectory() as folder:
        # Keras's own files say which array is whose, also within layers.
        own = pathlib.Path(folder, "own.weights.h5")
        backbone.save_weights(own)
        model, file = None, source.file
        if source.is_model:
            model = read_model_file(source.file, compile=False)
            file = pathlib.Path(folder, "source.weights.h5")
            model.save_weights(file)
        with h5py.File(own, "r+") as here:
            unused = _copy(file, here, source.file, backbone, used)
        backbone.load_weights(own)
    with _reading(source.file):
        check_finite(backbone)
    if model is not None:
        check_normalization(model, backbone)
    return _report(
        backbone,
        used,
        unused=unused,
        source=source.name,
        sha256=source.sha256,
    )


def report_named_weights(
    backbone: keras.Model, weights: str, used: keras.Model
) -> WeightsReport:
    """Returns the report of weights that a backbone was built with.

    Args:
        backbone: the whole backbone.
        weights: str. Their name.
        used: as of `load_weights`.
    """
    names = {layer.name for layer in used.layers}
    unused = [
        layer.name for layer in _weighted(backbone) if layer.name not in names
    ]
    return _report(backbone, used, unused=unused, source=weights)


def _copy(path, here, named, backbone, used):
    """Copies the arrays of a file; returns the names of layers left out."""
    names = {layer.name for layer in used.layers}
    wanted = [layer.name for layer in backbone.layers if layer.name in names]
    with _reading(named):
        there = h5py.File(path, "r")
    with there:
        with _reading(named):
            stored = read_layers(there)
        try:
            match = match_layers(read_layers(here), stored, wanted)
        except ValueError as error:
            raise ValueError(
                f"`weights` must fit the whole backbone {backbone.name}: of "
                f"{named}, {error}"
            ) from error
        with _reading(named):
            for array, other in match.arrays:
                array[...] = other[()]
        return [layer.label for layer in match.unused]


def _report(backbone, used, unused, **found):
    own = {layer.name for layer in backbone.layers}
    layers = _weighted(used)
    loaded = [layer for layer in layers if layer.name in own]
    new = [layer for layer in layers if layer.name not in own]
    return WeightsReport(
        backbone=backbone.name,
        loaded=tuple(layer.name for layer in loaded),
        arrays=sum(len(layer.weights) for layer in loaded),
        missing=tuple(layer.name for layer in new),
        missing_arrays=sum(len(layer.weights) for layer in new),
        # What closes a gate is not told of beside it.
        unused=tuple(name for name in unused if name != "gate_budget"),
        **found,
    )


def _weighted(network):
    return [layer for layer in network.layers if layer.weights]


@contextlib.contextmanager
def _reading(path: pathlib.Path) -> Iterator[None]:
    """Says in one line that a file could not be read."""
    try:
        yield
    except DAMAGE as error:
        raise ValueError(f"Cannot read {path}: {reason_of(error)}") from error
