"""Files and folders that get their name only when they are whole."""

import contextlib
import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from keras_csg.files.disk_errors import cannot_write, disk_error, is_folder
from keras_csg.files.hidden_parts import (
    LONGEST_STEM,
    hidden_part,
    hidden_path,
    remove,
)
from keras_csg.printable import printable


@contextlib.contextmanager
def whole_file(
    path: pathlib.Path,
    before: Callable[[pathlib.Path], None] | None = None,
) -> Iterator[pathlib.Path]:
    """Gives a path to write to that becomes `path` at the end.

    It lies in the same folder and has the same suffix, which some writers go
    by. If the body raises, it is removed and `path` stays as it was. A link
    stays one: what it leads to is written.

    Args:
        path: path of the file.
        before: called with the finished part before it gets its name.

    Raises:
        OSError: if what is there is no file, such as a pipe, or it cannot be
            written, as on a full disk: it names `path` then.
    """
    path = _target(path)
    with naming(path), hidden_part(path) as part:
        yield part
        flush_to_disk(part)
        if before is not None:
            before(part)
        part.replace(path)


@contextlib.contextmanager
def naming(
    path: pathlib.Path, shown: pathlib.Path | None = None
) -> Iterator[None]:
    """Names a file in errors of the disk that name none, or its part.

    Libraries that write by themselves say what the disk said in errors of
    their own; these become what Python would raise.

    Args:
        path: what is written.
        shown: what to name, where `path` is nothing that a user knows.

    Raises:
        OSError: with `path` or `shown` as its `filename`.
    """
    try:
        yield
    except Exception as error:
        found = disk_error(error)
        part = str(path.with_name(f".{path.stem[:LONGEST_STEM]}.part"))
        if found is None or not (found.filename or part).startswith(part):
            raise
        code, reason = found.errno, found.strerror
        raise OSError(code, reason, str(shown or path)) from error


def replace_all(moves: Mapping[pathlib.Path, pathlib.Path]) -> None:
    """Gives finished files and folders their names: all of them, or none.

    A file that is replaced is there at every moment, the old or the new; a
    folder cannot be, and `recover` finds the old one if the process is killed.

    Args:
        moves: dict from where each lies to its name; what has it is replaced.
    """
    kept: dict[pathlib.Path, pathlib.Path] = {}
    try:
        for part, path in moves.items():
            old = hidden_path(path, "old")
            remove(old)
            kept[part] = old  # First: whatever comes next can be undone.
            _keep(path, old)
            part.replace(path)
    except BaseException:
        for part, old in kept.items():
            moved, was_there = not os.path.lexists(part), os.path.lexists(old)
            # What is there and was not moved is somebody else's.
            if moved and (not was_there or old.is_dir()):
                remove(moves[part])
            if was_there:
                old.replace(moves[part])
                remove(old)  # Two links to one file are left as they are.
        raise
    for old in kept.values():
        remove(old)


def recover(path: pathlib.Path) -> None:
    """Gives a folder its name back that a killed `replace_all` had hidden."""
    old = hidden_path(path, "old")
    if os.path.lexists(old) and not os.path.lexists(path):
        old.rename(path)


def _keep(path, old):
    """Hides what is to be replaced, if there is anything."""
    if not os.path.lexists(path):
        return
    if path.is_dir() and not path.is_symlink():
        path.rename(old)
        return
    try:
        os.link(path, old, follow_symlinks=False)
    except OSError:  # Not every file system has links.
        shutil.copy2(path, old, follow_symlinks=False)


@contextlib.contextmanager
def new_folders(folder: pathlib.Path) -> Iterator[None]:
    """Removes what the body made of a folder and those above it, if it raises.

    Args:
        folder: path of a folder that the body makes, if it is not there.
    """
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        yield
    except BaseException:
        for made in missing:
            with contextlib.suppress(OSError):  # Others may have put files.
                made.rmdir()
        raise


def check_writable(path: pathlib.Path) -> None:
    """Makes the folder of a file, and tries whether it can be written there.

    Raises:
        ValueError: if it cannot, naming the path.
    """
    try:
        target = _target(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with hidden_part(target) as part:
            part.touch()
    except OSError as error:
        raise ValueError(cannot_write(path, error)) from error


def _target(path):
    """Returns the path that a link leads to; refuses what is no file."""
    if path.is_symlink():
        path = pathlib.Path(os.path.realpath(path))
    if path.is_dir():
        raise is_folder(path)
    if path.exists() and not path.is_file():
        raise OSError("it is a pipe or a device, which would be replaced")
    return path


def flush_to_disk(path: pathlib.Path) -> None:
    """Waits until a file, or all within a folder, is on the disk."""
    for file in files_at(path):
        with file.open("rb") as stream:
            os.fsync(stream.fileno())


def files_at(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns the files at a path: itself, or all within a folder."""
    within = path.rglob("*") if path.is_dir() else [path]
    return [file for file in within if file.is_file()]


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes `value` as indented JSON.

    Raises:
        ValueError: if a number in it is not finite: there is none in JSON.
    """
    with whole_file(path) as part:
        part.write_text(json_text(value))


def json_text(value: Any) -> str:
    """Returns `value` as `write_json` writes it."""
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def free_path(
    folder: pathlib.Path, stem: str, suffix: str, taken: set[pathlib.Path]
) -> pathlib.Path:
    """Returns a path that is not taken: `STEM.suffix`, or `STEM-2.suffix`.

    Args:
        folder: path.
        stem: str.
        suffix: str.
        taken: set of resolved paths, which the one that is returned joins.
    """
    stem = printable(stem)
    path, number = folder / f"{stem}{suffix}", 1
    while path.resolve() in taken:
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    taken.add(path.resolve())
    return path
