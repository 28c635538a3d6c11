"""The formats a model can be exported to, by name, suffix and content."""

import inspect
import pathlib
from typing import TypeVar

from keras_csg.deployment.companions import LABELS, METADATA, PROOF
from keras_csg.deployment.formats.base import ExportedAnswers, Format

_FORMATS: dict[str, Format] = {}

FormatClass = TypeVar("FormatClass", bound=type[Format])


def register_format(format_class: FormatClass) -> FormatClass:
    """Makes a format available under its name and its suffix.

    Args:
        format_class: subclass of `Format`. `format_class()` makes it.

    Returns:
        The class, unchanged: this is a decorator.

    Raises:
        ValueError: if the name or the suffix is taken. Folders may go without
            one; a path without a suffix is then the first of them.
    """
    new = format_class()
    for known in _FORMATS.values():
        if new.name == known.name:
            raise ValueError(
                "A format's name must be new, and this one is taken by "
                f"{type(known).__name__}. Received: name={new.name}"
            )
        if new.suffix and new.suffix == known.suffix:
            raise ValueError(
                "A format's suffix must be new, and this one is taken by the "
                f"format {known.name}. Received: suffix={new.suffix!r}"
            )
    _FORMATS[new.name] = new
    return format_class


def list_formats() -> list[str]:
    """Returns the names of all formats, in the order they were registered."""
    return list(_FORMATS)


def get_format(name: str) -> Format:
    """Returns a format by its name.

    Raises:
        ValueError: if there is no such format.
    """
    if name not in _FORMATS:
        raise ValueError(
            f"`format` must be one of {', '.join(_FORMATS)}. "
            f"Received: format={name!r}"
        )
    return _FORMATS[name]


def open_in(
    kind: Format, path: pathlib.Path, *, trust: bool
) -> ExportedAnswers:
    """Opens what lies at a path; formats of others need not know of trust.

    Args:
        kind: `Format`.
        path: path of the file or the folder.
        trust: see `Format.open`.
    """
    if trust and "trust" in inspect.signature(kind.open).parameters:
        return kind.open(path, trust=True)
    return kind.open(path)


def find_format_of_suffix(path: pathlib.Path) -> Format:
    """Returns the format that a path's suffix stands for.

    Raises:
        ValueError: if it stands for none.
    """
    by_suffix: dict[str, Format] = {}
    for known in _FORMATS.values():
        by_suffix.setdefault(known.suffix, known)
    suffix = path.suffix.lower()
    if suffix not in by_suffix:
        endings = " or ".join(filter(None, by_suffix))
        raise ValueError(
            f"The path must end in {endings}, or be the folder of a "
            f"SavedModel, without a suffix. Received: path={path}"
        )
    return by_suffix[suffix]


def find_format_at(path: pathlib.Path) -> Format:
    """Returns the format of what lies at a path.

    Raises:
        ValueError: if nothing lies there or it is of no known format.
    """
    if not path.exists():
        raise ValueError(f"There is no exported model {path}.")
    for known in _FORMATS.values():
        if known.lies_at(path):
            return known
    if path.is_dir():  # A SavedModel's reader says what it lacks.
        return get_format("saved_model")
    model = _model_beside(path)
    if model is not None:
        raise ValueError(
            f"{path} is no exported model, it belongs to one: give {model}."
        )
    endings = " or ".join(filter(None, (f.suffix for f in _FORMATS.values())))
    raise ValueError(
        f"The path must end in {endings}, or be the folder of a SavedModel, of "
        "an OpenVINO model, of a layout (Triton, TensorFlow Serving) or of a "
        f"page. Received: path={path}"
    )


def _model_beside(path):
    """Returns the exported model that a file was written beside, if any."""
    for ending in (PROOF, LABELS, METADATA):
        model = path.with_name(path.name.removesuffix(ending) or path.name)
        if model != path and any(f.lies_at(model) for f in _FORMATS.values()):
            return model
    return None
