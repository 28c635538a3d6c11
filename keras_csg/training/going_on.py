"""Training a run for more epochs than it was to have."""

import contextlib
from collections.abc import Callable
from typing import Any

from keras_csg.files import check_regular_files
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.backup_files import Backup, find_backup
from keras_csg.training.callbacks import RunBackup
from keras_csg.training.callbacks.best_epoch import best_of, closed_density
from keras_csg.training.changed_options import check_unedited
from keras_csg.training.environment import count_threads
from keras_csg.training.history import History
from keras_csg.training.named_filters import stored_filter_names
from keras_csg.training.opening import open_run
from keras_csg.training.options import TrainingOptions
from keras_csg.training.places import check_places
from keras_csg.training.runs import Run


def with_more_epochs(run: Run, epochs: int) -> TrainingOptions:
    """Returns a run's options with more epochs; writes nothing.

    A time budget of before no longer counts: how many epochs there are to be
    has been said.

    Args:
        run: `Run`.
        epochs: int. How many there are to be in all.

    Raises:
        ValueError: if the run has more, or its options cannot be read.
    """
    options = run.options
    before = options.epochs
    # Refuses what is no number of epochs.
    more = {"epochs": epochs, "time_budget": None}
    options = TrainingOptions.from_dict({**options.to_dict(), **more})
    if before is not None and epochs < before:
        raise ValueError(
            f"`epochs` must be above the {before} that {run.path} has. "
            f"Received: epochs={epochs}"
        )
    return run.options if epochs == before else options


def find_state(run: Run, log: Callable[[str], Any]) -> Backup | None:
    """Returns the backup that a run goes on from, `None` where there is none.

    Nothing is changed but that the run is locked.

    Args:
        run: `Run`.
        log: callable that takes a line: which backups were passed over, and
            that the bits will be others.

    Raises:
        ValueError: if the run is damaged so that nothing whole is left, or
            nothing could be written at its end, or its options were edited.
    """
    run.lock()
    check_places(run)
    if run.is_finished():
        check_model(run)
        backup = None
    else:
        backup = find_backup(run.backup_path, log)
    if backup is not None and backup.options is not None:
        check_unedited(run, backup.options, f"its backup {backup.path.name}")
    elif record := run.read_record():
        check_unedited(run, record.options, "its record of the training")
    if backup is None and not run.is_finished():
        _check_nothing_lost(run)
        log(f"{run.path} has nothing to go on from: it is begun anew")
    _say_threads(run, log)
    return backup


def check_model(run: Run) -> None:
    """Refuses a finished run whose `model.keras` is not what was written.

    Raises:
        ValueError: if it is damaged.
    """
    run.checksums.check(run.model_path)
    stored_filter_names(run.model_path)  # Of before: whether it is a model.


def _say_threads(run, log):
    then, now = run.read_config().threads, count_threads()
    if then not in (None, now):
        log(
            f"The run was begun with {then} thread{'s' * (then != 1)} and "
            f"goes on with {now}: the weights are not to the bit those of a "
            "run that goes on with as many"
        )


def _check_nothing_lost(run):
    """Refuses to begin again where epochs were trained."""
    table = run.path / "history.csv"
    if table.exists() and table.read_bytes().strip():
        raise ValueError(
            f"{table} says that epochs are done, and {run.backup_path} has no "
            "backup to go on from: take that from a copy of the run, start "
            "another run, or remove history.csv to begin this one again."
        )


def take_history(
    run: Run, backup: Backup | None, log: Callable[[str], Any]
) -> History:
    """Returns the history of the epochs that are done, as the file has it then.

    Args:
        run: `Run` that goes on.
        backup: `Backup` that it goes on from.
        log: callable that takes a line, if the file was damaged.
    """
    path = run.path / "history.csv"
    if backup is None:
        return History(path, [])
    if backup.rows is None:  # Of before: they are in the file alone.
        history = History(path)
        history.keep(backup.epochs)
        if len(history.rows) < backup.epochs:
            log(
                f"{path} has {len(history.rows)} of {backup.epochs} epochs, "
                "and the backup has none: the curves begin later"
            )
        return history
    history = History(path, backup.rows)
    if not history.is_in_file():
        if not history.follows():
            log(
                f"{path} was not as it was written: it is written again, "
                f"with {backup.epochs} epochs, from {backup.path.name}"
            )
        history.write()
    return history


def prepare(
    run: Run,
    options: TrainingOptions,
    model: CSGClassifier,
    backup: Backup | None,
    log: Callable[[str], Any],
) -> Backup | None:
    """Lets a run go on to the epochs of its options, where they are more.

    What a finished run has is kept beside what will be: `model.keras` as
    `model-0020.keras` after 20 epochs, and the same with `metrics.json`. The
    learning rate is from there on that of a training of as many epochs.

    Args:
        run: `Run`, locked.
        options: what `with_more_epochs` returned, or the run's own.
        model: `CSGClassifier` that goes on. Its filters get the names that
            they had when the run was finished, or in the run it began with.
        backup: what `find_state` returned.
        log: callable that takes a line.

    Returns:
        `Backup` to go on from, which a finished run has from now on.
    """
    check_regular_files(run.path)
    if options.epochs != run.options.epochs:
        _go_on(run, options)
    model.filter_names = _names_before(run)
    found = backup or find_backup(run.backup_path, log)
    if found is not None and model.gated:
        # It is no variable, and after the last epoch `fit` does not set it.
        model.epochs_trained = found.epochs
    return found


def _go_on(run, options):
    if run.is_finished():
        _reopen(run)
    config = run.read_config()
    more = {"epochs": options.epochs, "time_budget": options.time_budget}
    # In this order: more epochs than were recorded are not taken for an edit.
    changed = run.options.replace(**more)
    run.write_config(config.with_options(**more))
    run.write_record(changed)


def _names_before(run):
    """Returns the names of a run's filters, which no backup has."""
    if kept := sorted(run.path.glob("model-*.keras")):
        return stored_filter_names(kept[-1])
    if run.options.init is not None:
        # It is needed for nothing else any more, so it may be gone.
        with contextlib.suppress(ValueError, OSError):
            return stored_filter_names(open_run(run.options.init).model_path)
    return {}


def _reopen(run):
    """Makes of a finished run one that was stopped after its last epoch."""
    model = run.load_model()
    history = run.history
    done = len(history.rows)
    if run.options.patience is not None:
        # Whose weights it has; the epochs after it are trained again.
        done = best_of(history, closed_density(model)) or done
    backup = RunBackup(run.backup_path, history, run.options.to_dict())
    backup.save(done, model)
    if run.metrics_path.exists():
        run.write_metrics(run.read_metrics(), of=f"-{done:04d}")
    kept = run.path / f"model-{done:04d}.keras"
    run.checksums.rename(run.model_path, kept)
