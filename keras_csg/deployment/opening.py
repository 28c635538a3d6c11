"""Finds exported models and opens them, each in its own runtime."""

import os
import pathlib

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.registry import (
    find_format_at,
    get_format,
    list_formats,
)
from keras_csg.deployment.layouts import places_in_version
from keras_csg.deployment.metadata import METADATA_FILE, Metadata
from keras_csg.deployment.web.folder import MODEL_FILE


def open_exported(path: str | os.PathLike) -> ExportedAnswers:
    """Opens an exported model in its own runtime.

    Args:
        path: path of an ONNX file, a LiteRT file or a SavedModel's folder; or
            of a model's folder in the repository of a server, of which the
            newest version counts.

    Returns:
        An object with `metadata`, `runtime` (name and version) and
        `answer(images)`, from images `(batch, height, width, 3)` of the dtype
        that `metadata.input` names to a dict of arrays, one for each output.

    Raises:
        ValueError: if nothing lies there, nothing that this package exported,
            or the runtime is not installed.
    """
    model = _model_at(path)
    return find_format_at(model).open(model)


def read_metadata(path: str | os.PathLike) -> Metadata:
    """Reads the description that an exported model carries.

    Args:
        path: as of `open_exported`.

    Returns:
        `keras_csg.deployment.Metadata`.

    Raises:
        ValueError: if nothing lies there, or nothing that this package
            exported.
    """
    model = _model_at(path)
    return find_format_at(model).read_metadata(model)


def find_model(path: str | os.PathLike) -> pathlib.Path | None:
    """Finds the exported model at a path or in a folder.

    Args:
        path: path of a file, of a SavedModel, of a page's folder, or of a
            model's folder in the repository of a server, of which the newest
            version counts.

    Returns:
        `pathlib.Path` of the model itself, or `None` if there is none.
    """
    path = pathlib.Path(path)
    if _is_model(path):
        return path
    if (path / METADATA_FILE).is_file() and (path / MODEL_FILE).is_file():
        return path / MODEL_FILE  # A folder for browsers, without versions.
    versions = [part for part in path.glob("[0-9]*") if part.name.isdecimal()]
    for version in sorted(versions, key=lambda part: -int(part.name)):
        for place in places_in_version():
            if _is_model(version / place):
                return version / place
    return None


def _model_at(path):
    """Returns where the model is, or the path itself for a reader to judge."""
    return find_model(path) or pathlib.Path(path)


def _is_model(path):
    formats = map(get_format, list_formats())
    return path.is_file() or any(known.lies_at(path) for known in formats)
