"""Gives a finished export its name, or removes it."""

import contextlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from keras_csg.deployment.companions import LABELS, METADATA, PROOF, beside
from keras_csg.deployment.metadata import Metadata
from keras_csg.files import (
    PARTS,
    cannot_write,
    check_folder,
    flush_to_disk,
    hidden_part,
    new_folders,
    recover,
    replace_all,
    sweep,
    write_json,
)

TRIES = 100
"""To make a folder that others remove, each a few microseconds."""


def proof_path(path: pathlib.Path) -> pathlib.Path:
    """Returns where the proof of an exported model lies: beside it."""
    return beside(path, PROOF)


@contextlib.contextmanager
def alone_at(path: pathlib.Path) -> Iterator[None]:
    """Keeps other exports away from a path, in the folder it makes for it.

    If the body raises, the folders that were made are removed.

    Args:
        path: `pathlib.Path`, absolute: of what is written.

    Raises:
        ValueError: if another export is writing there, or nothing can be
            written.
    """
    from filelock import Timeout  # Files are opened without it.

    with new_folders(path.parent):
        _make_writable_folder(path.parent)
        lock_path = path.with_name(f".{path.name}.keras_csg.lock")
        try:
            lock = _locked(lock_path)
        except Timeout:
            raise ValueError(
                f"Another export is writing to {path}: wait for it, or choose "
                "another path."
            ) from None
        except OSError as error:
            raise ValueError(_cannot_write(path, error)) from error
        try:
            yield
        finally:
            if lock is not None:
                # First, so that nobody waits at a file that goes.
                with contextlib.suppress(OSError):
                    lock_path.unlink()
                lock.release()
                PARTS.discard(lock_path)


@contextlib.contextmanager
def staged(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a hidden folder beside `path`, to build what is to lie there.

    It is removed at the end.

    Args:
        path: `pathlib.Path`, absolute.
    """
    recover(path)
    sweep(path.parent)
    with hidden_part(path) as stage:
        stage.mkdir()
        yield stage


def publish(stage: pathlib.Path, folder: pathlib.Path) -> None:
    """Moves all that lies in a folder into another one: all of it, or nothing.

    Args:
        stage: path of the folder it was built in.
        folder: path of the folder it gets its names in. What has one of them
            is replaced.
    """
    flush_to_disk(stage)
    replace_all({part: folder / part.name for part in sorted(stage.iterdir())})


def write_companions(
    path: pathlib.Path, report: dict[str, Any], metadata: Metadata | None
) -> None:
    """Writes what lies beside an exported model.

    Args:
        path: path of the model.
        report: the proof.
        metadata: the model's `Metadata`: they are written once more, and the
            names of the classes, where a browser or a person can read them.
            `None` for a model that has them in files of their own.
    """
    write_json(beside(path, PROOF), report)
    if metadata is not None:
        write_json(beside(path, LABELS), list(metadata.class_names))
        write_json(beside(path, METADATA), json.loads(metadata.to_json()))


def _locked(path):
    """Returns a lock that was free; `None` where there can be none."""
    from filelock import FileLock

    def touch():
        _make_writable_folder(path.parent)
        path.touch()

    while True:
        _try_again(touch)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except (
            FileExistsError,
            FileNotFoundError,
        ):  # Its folder was removed once more.
            continue
        except NotImplementedError:  # Not every file system has locks.
            return None
        if path.exists():
            PARTS.add(path)
            return lock
        lock.release()  # It was the file of another that has ended.


def _make_writable_folder(folder):
    try:
        _try_again(lambda: folder.mkdir(parents=True, exist_ok=True))
    except OSError as error:
        raise ValueError(_cannot_write(folder, error)) from error
    check_folder(folder)


def _try_again(make):
    """Does what another export may undo: its end removes the folders it made.

    Where nothing can be made, as in /proc, the last try says so.
    """
    for _ in range(TRIES):
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            return make()
    return make()


def _cannot_write(path, error):
    if isinstance(error, FileNotFoundError):
        error = OSError("nothing can be made there")
    return cannot_write(path, error)
