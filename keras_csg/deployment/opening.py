"""Finds exported models and opens them, each in its own runtime."""

import os
import pathlib

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.registry import (
    find_format_at,
    get_format,
    list_formats,
    open_in,
)
from keras_csg.deployment.formats.saved_model import GRAPH_FILE
from keras_csg.deployment.layouts import places_in_version
from keras_csg.deployment.metadata import METADATA_FILE, Metadata
from keras_csg.deployment.web.folder import MODEL_FILE
from keras_csg.files import (
    at_home,
    check_links,
    check_regular,
    check_regular_files,
    leads_into,
)

MOST_NAMED = 5
"""Models that a message names."""


def open_exported(
    path: str | os.PathLike, *, trust: bool = False
) -> ExportedAnswers:
    """Opens an exported model in its own runtime.

    Args:
        path: path of an ONNX file, a LiteRT file, the folder of a SavedModel,
            of OpenVINO or of a page for browsers, or a Core ML package; or of
            a model's folder in the repository of a server, of which the newest
            version counts, or of one of its versions. `~` is your home.
        trust: bool. Whether it may have operations that no export of this
            package needs. They can do whatever a program can.

    Returns:
        An object with `metadata`, `runtime` (name and version) and
        `answer(images)`, from images `(batch, height, width, 3)` of the dtype
        that `metadata.input` names to a dict of arrays, one for each output;
        `read(images)` makes such a batch of image files.

    Raises:
        ValueError: if nothing lies there, nothing that this package exported,
            it is damaged or has such operations, or the runtime is not
            installed. Of a run or a Keras model it says what takes them.
    """
    model = _model_at(path)
    return open_in(find_format_at(model), model, trust=trust)


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
            version counts, or of one of its versions. `~` is the user's home.

    Returns:
        `pathlib.Path` of the model itself, or `None` if there is none.
    """
    path = at_home(path)
    if _is_model(path):
        return path
    if (path / METADATA_FILE).is_file() and (path / MODEL_FILE).is_file():
        return path / MODEL_FILE  # A folder for browsers, without versions.
    versions = [part for part in path.glob("[0-9]*") if part.name.isdecimal()]
    versions.sort(key=lambda part: -int(part.name))
    if path.name.isdecimal():  # A version itself, whatever is in it.
        versions.append(path)
    for version in versions:
        for place in places_in_version():
            if _is_model(version / place):
                return version / place
    return None


def _model_at(path):
    """Returns where the model is.

    Raises:
        ValueError: saying what is there instead.
    """
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"`path` must be a path. Received: path={path!r}")
    found = find_model(path)
    path = at_home(path)
    # A format of somebody's own may be called as Keras's files are.
    if found is not None and (
        found.suffix != ".keras" or _is_of_a_format(found)
    ):
        if not leads_into(found, path):
            raise ValueError(
                f"{found} was not opened: it leads out of {path} by a link."
            )
        _check_files(found)
        return found
    if not path.exists():
        raise ValueError(f"There is no exported model {path}.")
    if path.suffix == ".keras":
        raise ValueError(
            f"{path} is a Keras model, not an exported one: "
            "`keras.saving.load_model` opens it, `keras_csg.predict` takes it, "
            "and `keras_csg.export` makes a file of it."
        )
    if (path / "config.json").is_file():
        raise ValueError(
            f"{path} is a run, not an exported model: `keras_csg.predict` "
            "takes it, `keras_csg.training.Run(path).load_model()` opens it, "
            "and `keras-csg export` makes files of it"
            + (name_models_in(path / "export") or ".")
        )
    if not path.is_dir():
        _check_files(path)
        return path
    raise ValueError(
        f"{path} is no exported model: it is no SavedModel, as it has no "
        f"{GRAPH_FILE}, and has no version of a model"
        + (name_models_in(path) or ".")
    )


def _check_files(path):
    """Refuses pipes and devices, which a runtime may read for ever."""
    try:
        if path.is_dir():
            for folder in (path, *filter(pathlib.Path.is_dir, path.iterdir())):
                check_regular_files(folder)
            check_links(path)
        else:
            check_regular(path)
    except OSError as error:
        raise ValueError(f"Cannot open {path}: {error}.") from error


def name_models_in(folder: pathlib.Path) -> str:
    """Returns the end of a sentence: which models lie in a folder, if any."""
    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    names = [str(path) for path in inside if _holds_model(path)]
    if not names:
        return ""
    shown = ", ".join(names[:MOST_NAMED]) + ", ..." * (len(names) > MOST_NAMED)
    return f". There is {shown}"


def _holds_model(path):
    try:
        return _is_of_a_format(path) or (path.is_dir() and find_model(path))
    except OSError:  # A folder of somebody else's.
        return False


def _is_model(path):
    return path.is_file() or _is_of_a_format(path)


def _is_of_a_format(path):
    formats = map(get_format, list_formats())
    return any(known.lies_at(path) for known in formats)
