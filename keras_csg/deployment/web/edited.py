"""What a person changed in the folder of a page, which stays as it is."""

import json
import pathlib

from keras_csg.deployment.web.folder import CONTENTS, MODEL_FILE
from keras_csg.files import sha256_of
from keras_csg.untrusted.json_text import read_json

WRITTEN_FILE = "written.json"
"""Tells how each file was written, but for the model and itself."""


def note_written(folder: pathlib.Path) -> None:
    """Writes the SHA-256 of each file in a folder into another one there.

    Args:
        folder: path of a page's folder that is whole but for the model.
    """
    found = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / WRITTEN_FILE).write_text(json.dumps(found, indent=2) + "\n")


def contents_of(folder: pathlib.Path) -> tuple[str, ...]:
    """Returns patterns of the files that an export wrote into a folder.

    Args:
        folder: path of a page's folder, or of nothing.
    """
    written = _read_written(folder)
    if not written:
        return CONTENTS
    return (*written, MODEL_FILE, WRITTEN_FILE)


def keep_edited(old: pathlib.Path, new: pathlib.Path) -> list[str]:
    """Copies what a person changed in a folder into the one in its place.

    Args:
        old: path of a page's folder, or of nothing.
        new: path of the folder that is to replace it.

    Returns:
        Names of the files that were changed.

    Raises:
        ValueError: if one of them would now be written otherwise than it was
            then, so that the change may not fit.
    """
    if not old.is_dir():
        return []
    now = _read_written(new) or {}
    before = _read_written(old)
    kept = []
    # An earlier version did not note it: what is as now was not changed.
    for name, digest in (now if before is None else before).items():
        path = old / name
        if not path.is_file() or sha256_of(path) == digest:
            continue
        if before is None or now.get(name) != digest:
            raise ValueError(
                f"{path} is not as an export wrote it, and would now be "
                "written otherwise: move it away to have it written anew, or "
                "choose another path (`--name`)."
            )
        (new / name).write_bytes(path.read_bytes())
        kept.append(name)
    return kept


def _read_written(folder):
    """Returns the digests by the files' names; `None` where there are none."""
    try:
        found = read_json(folder / WRITTEN_FILE)
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    # Nothing outside of the folder, whatever stands there.
    return {
        name: digest
        for name, digest in found.items()
        if isinstance(digest, str) and _is_within(name)
    }


def _is_within(name):
    path = pathlib.PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
