"""Keeps a run's directory for one training at a time."""

import contextlib
import pathlib

import filelock

from keras_csg.files import cannot_write, check_links

LOCK_NAME = ".lock"


class RunLock:
    """The lock of a run's directory, a file that is there while it is held.

    Args:
        folder: `pathlib.Path` of the run.
    """

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._lock = filelock.FileLock(folder / LOCK_NAME)

    def acquire(self) -> None:
        """Keeps others out; does nothing if this very object has it.

        Raises:
            ValueError: if another process has it, the directory cannot be
                written to, or a link in it leads out of it.
        """
        if self._lock.is_locked:
            return
        check_links(self.folder)  # Before the first thing is written.
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            raise ValueError(
                f"Another process is training in {self.folder}; wait for it or "
                "stop it first."
            ) from None
        except OSError as error:
            raise ValueError(cannot_write(self.folder, error)) from error

    def release(self) -> None:
        """Lets others in again."""
        if self._lock.is_locked:
            # Before another one may have it.
            with contextlib.suppress(OSError):
                (self.folder / LOCK_NAME).unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._lock.release()


def check_unused(folder: pathlib.Path, begun: tuple[str, ...]) -> None:
    """Refuses a directory that holds more than a killed start leaves.

    Args:
        folder: path of the directory.
        begun: names of the files that a start writes before `config.json`.

    Raises:
        ValueError: naming it.
    """
    for path in folder.iterdir():
        left = path.name.startswith(".") and ".part" in path.name
        if path.name in (LOCK_NAME, *begun) or left:
            continue
        hint = (
            "go on with `resume`, or name another directory"
            if (folder / "config.json").exists()
            else "name another directory"
        )
        raise ValueError(f"{folder} exists already and is not empty: {hint}.")
