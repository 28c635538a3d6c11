"""The formats a model is exported to, each imported when it is used."""

import importlib
import pathlib

_MODULES = {
    "saved_model": "keras_csg.deployment.formats.saved_model",
    "onnx": "keras_csg.deployment.formats.onnx",
    "litert": "keras_csg.deployment.formats.litert",
}
_SUFFIXES = {"": "saved_model", ".onnx": "onnx", ".tflite": "litert"}
FORMATS = tuple(_MODULES)


def get_format(name):
    """Returns the module of a format.

    Raises:
        ValueError: if there is no such format.
    """
    if name not in _MODULES:
        raise ValueError(
            f"`format` must be one of {', '.join(FORMATS)}. "
            f"Received: format={name!r}"
        )
    return importlib.import_module(_MODULES[name])


def find_format(path):
    """Returns the name of the format that a path's suffix stands for.

    Raises:
        ValueError: if it stands for none.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(
            "The path must end in .onnx or .tflite, or be the folder of a "
            f"SavedModel, without a suffix. Received: path={path}"
        )
    return _SUFFIXES[suffix]


def find_module(path):
    """Returns the module that reads what lies at `path`.

    Raises:
        ValueError: if nothing lies there or it is of no known format.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"There is no exported model {path}.")
    return get_format("saved_model" if path.is_dir() else find_format(path))


def read_metadata(path):
    """Reads what an exported model says of itself.

    Args:
        path: path of an ONNX file, a LiteRT file or a SavedModel's folder.

    Returns:
        `keras_csg.deployment.Metadata`.

    Raises:
        ValueError: if nothing lies there, or nothing that this package
            exported.
    """
    return find_module(path).read_metadata(pathlib.Path(path))


def open_exported(path):
    """Opens an exported model in its own runtime.

    Args:
        path: path of an ONNX file, a LiteRT file or a SavedModel's folder.

    Returns:
        An object with `metadata`, `runtime` (name and version) and
        `answer(images)`, from images `(batch, height, width, 3)` of the dtype
        that `metadata.input` names to a dict of arrays, one for each output.

    Raises:
        ValueError: if nothing lies there, nothing that this package exported,
            or the runtime is not installed.
    """
    return find_module(path).open(pathlib.Path(path))
