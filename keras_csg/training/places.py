"""Whether what training writes at its end has a place, told at its start."""

from keras_csg.training.record import NAME as RECORD
from keras_csg.training.runs import Run


def check_places(run: Run) -> None:
    """Refuses a run in which something else stands where training writes.

    Args:
        run: `Run` that is gone on with.

    Raises:
        ValueError: naming what it is, and the way out; or if the list of
            checksums is damaged, by which each file is written.
    """
    files = (
        run.checksums.path,
        run.config_path,
        run.listing_path,
        run.metrics_path,
        run.model_path,
        run.loggers_path,
        run.path / "history.csv",
        run.path / RECORD,
    )
    for path in files:
        if path.exists() and not path.is_file():
            raise ValueError(
                f"{path} is not a file, and training writes one of that name: "
                "move it elsewhere, or take the file from a copy of the run."
            )
    for path in (run.logs_path, run.backup_path):
        if path.exists() and not path.is_dir():
            raise ValueError(
                f"{path} is not a folder, and training writes into one of that "
                "name: move it elsewhere."
            )
    run.checksums.check_list()
