"""A run that cannot be written any more: a full disk, a folder that is gone."""

import contextlib
from collections.abc import Iterator

from keras_csg.files import disk_error
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
    except Exception as error:
        found = disk_error(error)
        if found is None:
            raise
        where = found.filename or run.path
        raise RunWriteError(
            f"The training cannot go on: {where}: {found.strerror}. "
            f"{_way_out(run)}"
        ) from error


def _way_out(run):
    if not run.config_path.exists():
        return (
            f"The run {run.path} is not there any more: start it again, where "
            "nothing removes it, or, if it was moved, go on there with "
            "keras-csg train --resume --out RUN."
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
