"""Tells what an export wrote from what is somebody else's.

By what lies inside: an export's files carry its metadata. Nothing else is ever
replaced, whatever it is called.
"""

import json
import os
import pathlib
from collections.abc import Iterable

from keras_csg.deployment.companions import (
    LABELS,
    PROOF,
    companions,
)
from keras_csg.deployment.formats.base import Format
from keras_csg.deployment.metadata import (
    LABELS_FILE,
    Metadata,
    labels_text,
)
from keras_csg.files import check_regular
from keras_csg.untrusted.json_text import read_json


def require_free(
    paths: Iterable[pathlib.Path], way_out: str = "choose another path"
) -> None:
    """Refuses paths at which something lies.

    Raises:
        ValueError: naming them.
    """
    taken = [str(path) for path in paths if os.path.lexists(path)]
    if taken:
        raise ValueError(
            f"{', '.join(taken)} exists already: {way_out}, or replace what an "
            "export wrote with `overwrite=True` (`--force`)."
        )


def require_own(path: pathlib.Path, format: Format) -> None:
    """Refuses to replace what no export wrote, at a path and beside it.

    Args:
        path: absolute path of a model.
        format: its `Format`.

    Raises:
        ValueError: naming what is spared.
    """
    metadata = _require_own(path, path, format, format.contents)
    require_own_companions(path, metadata)


def require_own_companions(
    path: pathlib.Path, metadata: Metadata | None = None
) -> None:
    """Refuses to replace what no export wrote beside a path.

    Args:
        path: path of a model.
        metadata: its `Metadata`, so that what was changed since is told as
            well; `None` if it is not there.

    Raises:
        ValueError: naming what is spared.
    """
    for companion in companions(path):
        if not os.path.lexists(companion):
            continue
        value = _own_companion(companion)
        if value is None:
            _spare(companion, "is no file that an export wrote")
        if metadata is not None and not _is_of(value, metadata):
            _spare(companion, "is not as an export wrote it")


def is_own_model(path: pathlib.Path, format: Format) -> bool:
    """Whether what lies at a path is a model of a format that we exported."""
    return _own_metadata(path, format) is not None


def require_own_folder(
    path: pathlib.Path,
    model: pathlib.Path,
    format: Format,
    contents: Iterable[str],
) -> None:
    """Refuses to replace a folder around a model that no export wrote.

    Args:
        path: absolute path of the folder.
        model: where in it the model lies.
        format: the model's `Format`.
        contents: patterns of what else an export writes into it.

    Raises:
        ValueError: naming what is spared.
    """
    _require_own(path, model, format, contents)
    require_own_companions(path)


def _own_metadata(path, format):
    """Returns the `Metadata` of a model that we exported; `None` of others."""
    try:
        if not path.is_dir():
            check_regular(path)  # Of a pipe nobody may ever write into.
        return format.read_metadata(path)
    except (ValueError, OSError):
        return None


def _require_own(path, model, format, contents):
    """Refuses what is not ours; returns the `Metadata` of what is there."""
    if not os.path.lexists(path):
        return None
    here = pathlib.Path.cwd()
    if path.is_dir() and path in (here, *here.parents, pathlib.Path.home()):
        _spare(path, "is the folder you work in, or one around it")
    metadata = _own_metadata(model, format)
    if metadata is None:
        kind = "a folder" if path.is_dir() else "a file"
        _spare(path, f"is {kind} that no export wrote")
    if path.is_dir() and contents is not None:
        foreign = sorted(_foreign(path, contents))
        if foreign:
            _spare(
                path, f"has files of others in it ({', '.join(foreign[:3])})"
            )
    if path.is_dir():
        for labels in path.rglob(LABELS_FILE):
            text = labels.read_text("utf-8", "replace")
            if text != labels_text(metadata.class_names):
                _spare(labels, "is not as an export wrote it")
    return metadata


def _spare(path, reason):
    raise ValueError(
        f"{path} {reason}, so `overwrite` (`--force`) spares it: move it away, "
        "or choose another path."
    )


def _foreign(folder, contents):
    """Yields the files within a folder that no pattern stands for."""
    patterns = [pathlib.PurePath(pattern) for pattern in contents]
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        known = any(
            len(pattern.parts) == len(inside.parts)
            and inside.match(str(pattern))
            for pattern in patterns
        )
        if not known and (file.is_symlink() or not file.is_dir()):
            yield str(inside)


def _own_companion(path):
    """Returns what lies beside a model, if an export may have written it."""
    try:
        value = read_json(path)
        if path.name.endswith(PROOF):
            return (
                value if isinstance(value, dict) and "gaps" in value else None
            )
        if path.name.endswith(LABELS):
            named = isinstance(value, list)
            named = named and all(isinstance(name, str) for name in value)
            return value if named else None
        return Metadata.from_json(json.dumps(value))
    except (ValueError, OSError, TypeError):
        return None


def _is_of(value, metadata):
    """Whether what lies beside a model says what the model itself says."""
    if isinstance(value, list):
        return value == metadata.class_names
    if not isinstance(value, Metadata):
        return True  # The proof, of which nothing stands in the model.
    beside, inside = (json.loads(m.to_json()) for m in (value, metadata))
    return all(
        beside[name] == inside[name]
        for name in beside.keys() & inside.keys()
        # Not every version notes all of it in both places.
        if None not in (beside[name], inside[name])
    )
