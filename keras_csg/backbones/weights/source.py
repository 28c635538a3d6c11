"""Finds the file that holds weights, before anything in it is believed."""

import dataclasses
import hashlib
import os
import pathlib

from keras_csg.backbones.registry import backbone_spec, list_backbones
from keras_csg.backbones.weights.shipped import find_card
from keras_csg.choices import PRESET_WEIGHTS, RANDOM_WEIGHTS
from keras_csg.files import cannot_read, check_regular

KINDS = "a .weights.h5 file, a .keras file or a run directory"
HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"


@dataclasses.dataclass(frozen=True)
class WeightsSource:
    """A file of weights or a saved model that can be read.

    Args:
        name: str. What was asked for: the absolute path of a file or a run, or
            `weights:NAME`.
        file: path of the file itself.
        is_model: bool. Whether it is a `.keras` file.
        sha256: str. Of the file, in hexadecimal.
    """

    name: str
    file: pathlib.Path
    is_model: bool
    sha256: str


def means_a_file(weights: str | os.PathLike | None) -> bool:
    """Whether `weights` is a path, and not a name such as `"imagenet"`."""
    if weights is None or weights in (PRESET_WEIGHTS, RANDOM_WEIGHTS):
        return False
    known = (backbone_spec(name).weights for name in list_backbones())
    return not any(os.fspath(weights) in names for names in known)


def find_source(weights: str | os.PathLike) -> WeightsSource:
    """Finds the file of weights at a path, or of those with the package.

    Raises:
        ValueError: if nothing lies there, or nothing that can be read.
    """
    if (card := find_card(weights)) is not None:
        card.check_file()
        return WeightsSource(card.source, card.path, True, card.sha256)
    path = pathlib.Path(os.path.abspath(weights))
    file = _file_at(path, weights)
    try:
        check_regular(file)
        with file.open("rb") as stream:
            start = stream.read(8)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(cannot_read(file, error)) from error
    is_model = start.startswith(ZIP)
    if not is_model and start != HDF5:
        raise ValueError(
            f"`weights` must be {KINDS}, and this file is none of them. "
            f"Received: weights={os.fspath(weights)!r}"
        )
    return WeightsSource(str(path), file, is_model, sha256)


def _file_at(path, weights):
    """Returns the file at a path, of a run its model."""
    try:
        if path.is_dir():
            return _model_of_run(path)
        if path.is_file():
            return path
        there = os.path.lexists(path)
    except OSError as error:
        raise ValueError(cannot_read(path, error)) from error
    problem = "is no file, nor links to one" if there else "is not there"
    raise ValueError(
        "`weights` must be a name, such as 'imagenet' or one that `keras-csg "
        f"weights` lists, or the path of {KINDS}; this {problem}. "
        f"Received: weights={os.fspath(weights)!r}"
    )


def _model_of_run(path):
    model = path / "model.keras"
    if model.is_file():
        return model
    if (path / "config.json").is_file():
        raise ValueError(
            f"The run {path} has no model.keras: its training is not finished. "
            f"Go on with `keras-csg train --resume --out {path}`."
        )
    raise ValueError(
        f"`weights` must be {KINDS}; this directory has no model.keras. "
        f"Received: weights={os.fspath(path)!r}"
    )
