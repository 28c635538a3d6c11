"""Where files and folders are built, unseen, before they get their names."""

import contextlib
import hashlib
import itertools
import os
import pathlib
import platform
import re
import shutil
import threading
from collections.abc import Iterator

LONGEST_STEM = 40
"""Letters of a name that stay in its hidden part: names have an end."""
PARTS: set[pathlib.Path] = set()
"""What is being built now: a process that ends at once removes it before."""
_SWEPT: set[pathlib.Path] = set()
_changing = threading.Lock()


@contextlib.contextmanager
def hidden_part(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a hidden path beside `path` to build a file or a folder at.

    What lies there, before or in the end, is removed. Nobody else is given
    it: several threads and processes may build the same at a time. What killed
    processes of this machine left in the folder is removed as well.
    """
    folder = path.absolute().parent
    if folder not in _SWEPT:  # Once: there may be thousands of files in it.
        _SWEPT.add(folder)
        sweep(folder)
    part = _claim_part(path)
    try:
        remove(part)
        yield part
    finally:
        try:
            remove(part)
        finally:
            PARTS.discard(part)


def remove(path: pathlib.Path) -> None:
    """Removes a file, a folder with all in it, or nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with contextlib.suppress(NotADirectoryError):
            path.unlink(missing_ok=True)


def hidden_path(path: pathlib.Path, word: str) -> pathlib.Path:
    """Returns where something lies beside a path, unseen."""
    return path.with_name(f".{path.stem}.{word}{path.suffix}")


def _claim_part(path):
    """Returns a hidden path that says whose it is: machine, process, number."""
    short = path.with_name(f"{path.stem[:LONGEST_STEM]}{path.suffix}")
    owner = f"part-{_machine()}-{os.getpid()}"
    with _changing:
        for number in itertools.count():
            part = hidden_path(short, f"{owner}-{number}")
            if part not in PARTS:
                PARTS.add(part)
                return part


def sweep(folder: pathlib.Path) -> None:
    """Removes what processes of this machine left that are no more.

    Args:
        folder: path of the folder in which their parts lie.
    """
    if os.name == "nt":  # There a signal of number 0 is no question.
        return
    pattern = re.compile(rf"\..+\.part-{_machine()}-(\d+)-\d+(\..*)?")
    try:
        found = [*map(pattern.fullmatch, os.listdir(folder))]
    except OSError:  # Whoever writes there says so.
        return
    for match in filter(None, found):
        if not _runs(int(match[1])):
            with contextlib.suppress(OSError):  # Another swept it, too.
                remove(folder / match[0])


def _runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # It is another user's.
        return True
    return True


def _machine():
    """Returns six letters that stand for this machine's name."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:6]
