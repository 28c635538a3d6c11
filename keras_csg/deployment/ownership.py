"""Tells what an export wrote from what is somebody else's.

By what lies inside: an export's files carry its metadata. Nothing else is ever
replaced, whatever it is called.
"""

import json
import os
import pathlib
from collections.abc import Iterable

from keras_csg.deployment.formats.base import Format
from keras_csg.deployment.metadata import Metadata

PROOF, LABELS, METADATA = ".proof.json", ".labels.json", ".json"
"""What is added to the name of an exported model for what lies beside it."""


def beside(path: pathlib.Path, ending: str) -> pathlib.Path:
    """Returns where what belongs to an exported model lies: beside it."""
    return path.with_name(f"{path.name}{ending}")


def companions(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns where all that belongs to an exported model may lie."""
    return [beside(path, ending) for ending in (PROOF, LABELS, METADATA)]


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
    _require_own_model(path, format)
    require_own_companions(path)


def require_own_companions(path: pathlib.Path) -> None:
    """Refuses to replace what no export wrote beside a path.

    Args:
        path: path of a model.

    Raises:
        ValueError: naming what is spared.
    """
    for companion in companions(path):
        if os.path.lexists(companion) and not _is_own_companion(companion):
            _spare(companion, "is no file that an export wrote")


def is_own_model(path: pathlib.Path, format: Format) -> bool:
    """Whether what lies at a path is a model of a format that we exported."""
    try:
        format.read_metadata(path)
    except (ValueError, OSError):
        return False
    return True


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


def _require_own_model(path, format):
    _require_own(path, path, format, format.contents)


def _require_own(path, model, format, contents):
    if not os.path.lexists(path):
        return
    here = pathlib.Path.cwd()
    if path.is_dir() and path in (here, *here.parents, pathlib.Path.home()):
        _spare(path, "is the folder you work in, or one around it")
    if not is_own_model(model, format):
        kind = "a folder" if path.is_dir() else "a file"
        _spare(path, f"is {kind} that no export wrote")
    if path.is_dir() and contents is not None:
        foreign = sorted(_foreign(path, contents))
        if foreign:
            _spare(
                path, f"has files of others in it ({', '.join(foreign[:3])})"
            )


def _spare(path, reason):
    raise ValueError(
        f"{path} {reason}, so `overwrite` (`--force`) spares it: move it away, "
        "or choose another path."
    )


def _foreign(folder, contents):
    """Yields the files within a folder that no pattern stands for."""
    for file in folder.rglob("*"):
        inside = file.relative_to(folder)
        if not file.is_dir() and not any(map(inside.match, contents)):
            yield str(inside)


def _is_own_companion(path):
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if path.name.endswith(PROOF):
            return isinstance(value, dict) and "gaps" in value
        if path.name.endswith(LABELS):
            named = isinstance(value, list)
            return named and all(isinstance(name, str) for name in value)
        Metadata.from_json(json.dumps(value))
    except (ValueError, OSError, TypeError):
        return False
    return True
