"""What the functions of this room ask of their arguments, in one line each."""

import os
import pathlib
from collections.abc import Callable, Collection, Iterable
from typing import Any

from keras_csg.arguments import share, whole_number
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.files import check_folder as check_free_folder
from keras_csg.files import check_writable

MOST_COUNTED = 10**9
"""Images, classes, threads: whoever asks for more has mistyped it."""


def check_path(name: str, value: Any, *, optional: bool = False) -> None:
    """Refuses what is no path, and an empty one.

    Args:
        name: str. The argument's.
        value: what was given.
        optional: bool. Whether `None` will do.

    Raises:
        InputError: naming the argument.
    """
    if optional and value is None:
        return
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"`{name}` must be a path. Received: {name}={value!r}")
    if not os.fspath(value):
        raise InputError(f"`{name}` must not be empty. Received: {name}=''")


def check_there(files: Iterable[str]) -> None:
    """Refuses image files of which one is not there.

    Args:
        files: paths of them.

    Raises:
        InputError: naming it.
    """
    for path in files:
        if not os.path.lexists(path):
            raise InputError(f"There is no image file {path}.")


def check_picture(name: str, value: str | os.PathLike) -> None:
    """Refuses what no PNG file can be written to; see `check_path`."""
    path = pathlib.Path(value)
    if path.suffix.lower() != ".png":
        raise InputError(
            f"`{name}` must be the path of a .png file. "
            f"Received: {name}={os.fspath(value)!r}"
        )
    with input_errors():
        check_writable(path)


def check_folder(name: str, folder: pathlib.Path) -> None:
    """Refuses what files cannot be written into, and a run; makes nothing.

    Args:
        name: str. The argument's.
        folder: path, of what need not be there yet.

    Raises:
        InputError: naming the argument or the folder.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise InputError(
            f"`{name}` must be a folder. Received: {name}={str(folder)!r}"
        )
    with input_errors():
        check_free_folder(folder)
    if (folder / "config.json").exists():
        raise InputError(
            f"`{name}` must not be a run: {folder} has a config.json. Name a "
            "folder within it, or another."
        )


def check_text(name: str, value: Any, *, optional: bool = False) -> None:
    """Refuses what is no str, and an empty one; see `check_path`."""
    if optional and value is None:
        return
    if not isinstance(value, str) or not value:
        raise InputError(
            f"`{name}` must be a str that is not empty. "
            f"Received: {name}={value!r}"
        )


def check_flag(name: str, value: Any) -> None:
    """Refuses what is neither true nor false; see `check_path`."""
    if not isinstance(value, bool):
        raise InputError(
            f"`{name}` must be True or False. Received: {name}={value!r}"
        )


def check_count(
    name: str, value: Any, *, optional: bool = False, most: int = MOST_COUNTED
) -> None:
    """Refuses what is no whole number from 1 to `most`; see `check_path`."""
    if optional and value is None:
        return
    with input_errors():
        whole_number(name, value, 1, most)


def check_share(name: str, value: Any) -> None:
    """Refuses what is no number in 0..1; see `check_path`."""
    with input_errors():
        share(name, value, "a number from 0 to 1")


def check_choice(name: str, value: Any, known: Collection[str]) -> None:
    """Refuses what is not among the `known`; see `check_path`."""
    if not isinstance(value, str) or value not in known:
        raise InputError(
            f"`{name}` must be one of {', '.join(known)}. "
            f"Received: {name}={value!r}"
        )


def check_callable(name: str, value: Any, *, optional: bool = False) -> None:
    """Refuses what cannot be called; see `check_path`."""
    if not callable(value) and not (optional and value is None):
        raise InputError(
            f"`{name}` must be callable. Received: {name}={value!r}"
        )


def logger(log: Callable[[str], Any] | None) -> Callable[[str], Any]:
    """Returns what takes a line of progress: `log`, or nobody for `None`.

    Raises:
        InputError: if it cannot be called.
    """
    check_callable("log", log, optional=True)
    return log or (lambda text: None)


def listed(
    name: str, value: Any, kinds: type | tuple[type, ...], single: Any = ()
) -> list:
    """Returns the items of an argument that takes several, or one by itself.

    Args:
        name: str. The argument's.
        value: what was given.
        kinds: type or tuple of them. What each item must be.
        single: type or tuple of them. What stands for a list of itself alone.

    Raises:
        InputError: naming the argument.
    """
    if isinstance(value, single):
        return [value]
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InputError(f"`{name}` must be a list. Received: {name}={value!r}")
    items = list(value)
    for item in items:
        if not isinstance(item, kinds):
            raise InputError(
                f"`{name}` must be a list of {_words(kinds)}. "
                f"Received: one of type {type(item).__name__}"
            )
    return items


def paths(name: str, value: Any) -> list:
    """Returns a list of paths, or of one that was given by itself."""
    path = (str, os.PathLike)
    found = listed(name, value, path, path)
    for item in found:
        check_path(name, item)
    return found


def names(name: str, value: Any) -> list[str]:
    """Returns a list of names, or of one that was given by itself."""
    return listed(name, value, str, str)


def _words(kinds):
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    return " or ".join(kind.__name__ for kind in kinds)
