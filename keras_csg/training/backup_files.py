"""The files of a backup: arrays and JSON, with a checksum inside."""

import dataclasses
import hashlib
import json
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_csg.files import whole_file
from keras_csg.training.record import ROWS
from keras_csg.untrusted.archives import read_arrays, write_arrays
from keras_csg.untrusted.fields import (
    anything,
    check_fields,
    required,
    table_of,
    whole,
)
from keras_csg.untrusted.json_text import parse_json

RECORD, DIGEST = "record", "sha256"
"""Arrays beside those of the variables: JSON as bytes, and the checksum."""
NUMBERED = re.compile(r"epoch-(\d+)")


class DamagedBackupError(ValueError):
    """A file of a backup that nothing can be taken from; says why."""


@dataclasses.dataclass(frozen=True)
class Backup:
    """What is known of a whole backup.

    Attributes:
        path: `pathlib.Path` of the file.
        epochs: int. How many are done.
        options: dict of the options of the run; `None` in one of before.
        rows: list of the rows of the history, one for each epoch; `None` in
            one of before.
    """

    path: pathlib.Path
    epochs: int
    options: dict[str, Any] | None = None
    rows: list[dict[str, str]] | None = None


@dataclasses.dataclass(frozen=True)
class _Record:
    """What a backup says beside its arrays."""

    epochs: int = required(whole(1))
    options: dict = required(table_of(anything))
    rows: list = required(ROWS)


def write_backup(
    path: pathlib.Path, values: Mapping[str, np.ndarray], record: dict
) -> None:
    """Writes a backup, whole or not at all.

    Args:
        path: path of the file.
        values: dict of arrays.
        record: dict that JSON can hold.
    """
    text = json.dumps(record).encode()
    arrays = {**values, RECORD: np.frombuffer(text, "uint8")}
    arrays[DIGEST] = np.frombuffer(_digest(arrays), "uint8")
    with whole_file(path) as part, part.open("wb") as stream:
        write_arrays(stream, arrays)


def read_values(path: pathlib.Path) -> tuple[dict[str, np.ndarray], dict]:
    """Returns the arrays of a backup and what it records.

    One of before has neither a record, which is an empty dict then, nor a
    checksum.

    Raises:
        DamagedBackupError: if it is not what was written. Nothing in the file
            can run code, nor unpack to more than the file has.
    """
    try:
        if not path.stat().st_size:
            raise DamagedBackupError("is empty")
        values = read_arrays(path, packed=False)
        if (
            DIGEST not in values
            and f"{DIGEST}.npy".encode() in path.read_bytes()
        ):
            raise DamagedBackupError("is damaged: its list of contents is cut")
        return _checked(values)
    except DamagedBackupError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise DamagedBackupError(f"cannot be read: {reason}") from error
    except (ValueError, MemoryError) as error:
        raise DamagedBackupError(f"is damaged: {error}") from error


def find_backup(
    directory: pathlib.Path, log: Callable[[str], Any]
) -> Backup | None:
    """Returns the newest whole backup of a run; `None` where there is none.

    Args:
        directory: path of the backups.
        log: callable that takes a line: which newer ones were passed over.

    Raises:
        ValueError: if there are some and none is whole, or one has a name that
            is not its own.
    """
    passed = []
    for epochs, path in sorted(_numbered(directory), reverse=True):
        try:
            backup = _backup(path, epochs)
        except DamagedBackupError as error:
            passed.append(f"{path.name} {error}")
            continue
        if passed:
            log(
                f"Passed over in {directory}: {', '.join(passed)}; going on "
                f"after epoch {epochs}, from {path.name}"
            )
        return backup
    if passed:
        raise ValueError(
            f"No backup in {directory} is whole: {', '.join(passed)}. Take it "
            "from a copy of the run, or start another run; nothing was removed."
        )
    return None


def newest_epoch(directory: pathlib.Path) -> int:
    """Returns the number of the newest backup by its name; 0 without one."""
    return max((epochs for epochs, _ in _numbered(directory)), default=0)


def remove_backups(directory: pathlib.Path, but: set[int]) -> None:
    """Removes the backups of all epochs but some."""
    for epochs, path in _numbered(directory):
        if epochs not in but:
            path.unlink(missing_ok=True)


def backup_path(directory: pathlib.Path, epochs: int) -> pathlib.Path:
    """Returns what the backup after some epochs is called."""
    return directory / f"epoch-{epochs:04d}.npz"


def _numbered(directory):
    """Returns the epochs and the path of each backup."""
    found = []
    for path in directory.glob("epoch-*.npz"):
        number = NUMBERED.fullmatch(path.stem)
        if number is None:
            raise ValueError(
                f"{path} has no number of an epoch in its name, as "
                "epoch-0007.npz has: rename it, or move it away."
            )
        found.append((int(number[1]), path))
    return found


def _backup(path, epochs):
    values, record = read_values(path)
    odd = _not_finite(values)
    if odd:
        raise DamagedBackupError(f"has a value that is not finite ({odd})")
    if not record:
        return Backup(path, epochs)
    try:
        record = check_fields(_Record, record)
    except ValueError as error:
        raise DamagedBackupError(f"is damaged: {error}") from error
    if record["epochs"] != epochs:
        own = backup_path(path.parent, record["epochs"]).name
        raise ValueError(
            f"{path} is the backup of epoch {record['epochs']}: rename it to "
            f"{own}, or move it away."
        )
    return Backup(path, epochs, record["options"], record["rows"])


def _checked(values):
    digest, text = values.pop(DIGEST, None), values.get(RECORD)
    if digest is None and text is None:
        return values, {}
    if digest is None or digest.tobytes() != _digest(values):
        raise DamagedBackupError("is damaged: its checksum is another")
    del values[RECORD]
    return values, parse_json(text.tobytes())


def _not_finite(values):
    """Returns the first array with a value that no training comes to."""
    for name, value in values.items():
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return name
    return None


def _digest(arrays):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        about = f"{name} {array.dtype.str} {np.shape(arrays[name])}\n"
        digest.update(about.encode())
        digest.update(array.reshape(-1).view("uint8").data)
    return digest.digest()
