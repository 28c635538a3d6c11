"""A run that cannot be written any more: a full disk, a folder that is gone."""

import contextlib
from collections.abc import Iterator

from keras_csg.training.backup_files import newest_epoch
from keras_csg.training.runs import Run


class RunWriteError(OSError):
    """A training ends because its run cannot be written; says the way out."""


@contextlib.contextmanager
def explaining_failures(run: Run) -> Iterator[None]:
    """Says what a failure of the disk means for a run, in one line.

    Args:
        run: `Run` that is trained.

    Raises:
        RunWriteError: in the place of the error of the system.
    """
    try:
        yield
    except OSError as error:
        raise RunWriteError(f"{reason_of(error)}. {_way_out(run)}") from error


def reason_of(error: OSError) -> str:
    """Returns what failed, with the file, in one line."""
    if error.filename is None or error.strerror is None:
        return f"Cannot write: {' '.join(str(error).split())}"
    return f"Cannot write {error.filename}: {error.strerror}"


def _way_out(run):
    if not run.config_path.exists():
        return (
            f"The run {run.path} is not there any more: start it again, where "
            "nothing removes it."
        )
    try:
        done = newest_epoch(run.backup_path)
    except (OSError, ValueError):
        done = 0
    kept = f"Its {done} epochs are kept" if done else "It has no epoch yet"
    return (
        f"{kept}: when the cause is gone, as by freeing space, go on with "
        f"keras-csg train --resume --out {run.path}"
    )
