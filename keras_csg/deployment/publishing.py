"""Gives a finished export its name, or leaves nothing behind."""

import contextlib
import os
import shutil

from keras_csg.files import write_json


def proof_path(path):
    """Returns where the proof of an exported model lies: beside it."""
    return path.with_name(f"{path.name}.proof.json")


@contextlib.contextmanager
def staged(path, overwrite):
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
    part = _hidden(path, "part")
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        _make_writable_folder(path.parent)
        _remove(part)
        yield part
    except BaseException:
        _remove(part)
        for folder in missing:
            with contextlib.suppress(OSError):  # Others may have put files.
                folder.rmdir()
        raise
    _remove(part)


def publish(part, path, proof):
    """Moves what lies at `part` to `path`, and writes its proof beside it.

    Args:
        part: path of a file or a folder.
        path: path that it gets. What lies there is replaced.
        proof: dict.
    """
    for file in files_of(part):
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    old = {
        target: _hidden(target, "old") for target in (path, proof_path(path))
    }
    for target, kept in old.items():
        _remove(kept)
        if os.path.lexists(target):
            target.rename(kept)
    try:
        write_json(proof_path(path), proof)
        part.rename(path)
    except BaseException:
        for target, kept in old.items():
            _remove(target)
            if os.path.lexists(kept):
                kept.rename(target)
        raise
    for kept in old.values():
        _remove(kept)


def files_of(path):
    """Returns the files at a path: itself, or all within a folder."""
    within = path.rglob("*") if path.is_dir() else [path]
    return [file for file in within if file.is_file()]


def _make_writable_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"Cannot write to {folder}: {error.strerror}."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"Cannot write to {folder}.")


def _hidden(path, word):
    return path.with_name(f".{path.stem}.{word}{path.suffix}")


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(NotADirectoryError):
            path.unlink(missing_ok=True)
