"""Gives a finished export its name, or removes it."""

import contextlib
import os
import pathlib
from collections.abc import Iterator

from keras_csg.files import flush_to_disk, hidden_part, set_aside, write_json


def proof_path(path: pathlib.Path) -> pathlib.Path:
    """Returns where the proof of an exported model lies: beside it."""
    return path.with_name(f"{path.name}.proof.json")


@contextlib.contextmanager
def staged(path: pathlib.Path, overwrite: bool) -> Iterator[pathlib.Path]:
    """Gives a hidden path beside `path` to build a file or a folder at.

    Whatever is left there is removed at the end, and if the body raises also
    the folders that were made to hold it.

    Args:
        path: `pathlib.Path`, absolute.
        overwrite: bool. Whether something may lie at `path`.

    Raises:
        ValueError: if something lies there, or nothing can be written there.
    """
    for target in (path, proof_path(path)):
        if os.path.lexists(target) and not overwrite:
            raise ValueError(
                f"{target} exists: choose another path, or replace it with "
                "`overwrite=True` (`--force`)."
            )
    with _new_folders(path.parent), hidden_part(path) as part:
        yield part


def publish(part: pathlib.Path, path: pathlib.Path, proof: dict) -> None:
    """Moves what lies at `part` to `path`, and writes its proof beside it.

    Args:
        part: path of a file or a folder.
        path: path that it gets. What lies there is replaced.
        proof: dict.
    """
    flush_to_disk(part)
    with set_aside(path, proof_path(path)):
        write_json(proof_path(path), proof)
        part.rename(path)


@contextlib.contextmanager
def _new_folders(folder):
    """Makes a folder, and removes what it made if the body raises."""
    missing = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        _make_writable_folder(folder)
        yield
    except BaseException:
        for made in missing:
            with contextlib.suppress(OSError):  # Others may have put files.
                made.rmdir()
        raise


def _make_writable_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"Cannot write to {folder}: {error.strerror}."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"Cannot write to {folder}.")
