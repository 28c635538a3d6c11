"""Files and folders that get their name only when they are whole."""

import contextlib
import json
import os
import pathlib
import shutil
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from keras_csg.printable import printable

PARTS: set[pathlib.Path] = set()
"""What is being built now: a process that ends at once removes it before."""


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a path to write to that becomes `path` at the end.

    It lies in the same folder and has the same suffix, which some writers go
    by. If the body raises, it is removed and `path` stays as it was. A link
    stays one: what it leads to is written.

    Raises:
        OSError: if what is there is no file, such as a pipe.
    """
    path = _target(path)
    with hidden_part(path) as part:
        yield part
        flush_to_disk(part)
        part.replace(path)


@contextlib.contextmanager
def hidden_part(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a hidden path beside `path` to build a file or a folder at.

    What lies there, before or in the end, is removed.
    """
    part = _hidden(path, "part")
    remove(part)
    PARTS.add(part)
    try:
        yield part
    finally:
        remove(part)
        PARTS.discard(part)


def replace_all(moves: Mapping[pathlib.Path, pathlib.Path]) -> None:
    """Gives finished files and folders their names: all of them, or none.

    A file that is replaced is there at every moment, the old or the new; a
    folder cannot be, and `recover` finds the old one if the process is killed.

    Args:
        moves: dict from where each lies to its name; what has it is replaced.
    """
    kept: dict[pathlib.Path, pathlib.Path | None] = {}
    try:
        for part, path in moves.items():
            kept[path] = _keep(path)
            part.replace(path)
    except BaseException:
        for path, old in kept.items():
            if old is None or old.is_dir():
                remove(path)
            if old is not None:
                old.replace(path)
        raise
    for old in kept.values():
        if old is not None:
            remove(old)


def recover(path: pathlib.Path) -> None:
    """Gives a folder its name back that a killed `replace_all` had hidden."""
    old = _hidden(path, "old")
    if os.path.lexists(old) and not os.path.lexists(path):
        old.rename(path)


def _keep(path):
    """Hides what is to be replaced beside it; `None` if nothing is there."""
    if not os.path.lexists(path):
        return None
    old = _hidden(path, "old")
    remove(old)
    if path.is_dir() and not path.is_symlink():
        path.rename(old)
        return old
    try:
        os.link(path, old, follow_symlinks=False)
    except OSError:  # Not every file system has links.
        shutil.copy2(path, old, follow_symlinks=False)
    return old


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
        reason = error.strerror or str(error)
        raise ValueError(f"Cannot write to {path}: {reason}") from error


def check_regular(path: str | os.PathLike) -> None:
    """Refuses what is no file before it is read.

    To read a pipe may take for ever, and a device has no end. A link counts as
    what it leads to.

    Raises:
        OSError: if it is something else, or not there.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError("it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError("it is a pipe, a socket or a device, and no file")


def check_regular_files(folder: pathlib.Path) -> None:
    """Refuses a folder in which one is something else; see `check_regular`.

    Raises:
        OSError: naming it.
    """
    for path in folder.iterdir():
        try:
            if not path.is_dir():
                check_regular(path)
        except FileNotFoundError:  # A link to nothing, or it is gone.
            continue
        except OSError as error:
            raise OSError(f"Cannot read {path}: {error}") from error


def _target(path):
    """Returns the path that a link leads to; refuses what is no file."""
    if path.is_symlink():
        path = pathlib.Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError("it is a folder")
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


def remove(path: pathlib.Path) -> None:
    """Removes a file, a folder with all in it, or nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(NotADirectoryError):
            path.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes `value` as indented JSON.

    Raises:
        ValueError: if a number in it is not finite: there is none in JSON.
    """
    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n")


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


def _hidden(path, word):
    return path.with_name(f".{path.stem}.{word}{path.suffix}")
