"""Training a run for more epochs than it was to have."""

import contextlib
import json

from keras_csg.files import check_regular_files, write_json
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.callbacks import RunBackup
from keras_csg.training.callbacks.best_epoch import best_of
from keras_csg.training.named_filters import stored_filter_names
from keras_csg.training.opening import open_run
from keras_csg.training.options import TrainingOptions
from keras_csg.training.runs import Run


def with_more_epochs(run: Run, epochs: int) -> TrainingOptions:
    """Returns a run's options with more epochs; writes nothing.

    A time budget of before no longer counts: how many epochs there are to be
    has been said.

    Args:
        run: `Run`.
        epochs: int. How many there are to be in all.

    Raises:
        ValueError: if the run has as many, or its options cannot be read.
    """
    options = run.options
    before = options.epochs
    # Refuses what is no number of epochs.
    more = {"epochs": epochs, "time_budget": None}
    options = TrainingOptions.from_dict({**options.to_dict(), **more})
    if before is not None and epochs <= before:
        raise ValueError(
            f"`epochs` must be above the {before} that {run.path} has. "
            f"Received: epochs={epochs}"
        )
    return options


def prepare(run: Run, options: TrainingOptions, model: CSGClassifier) -> None:
    """Lets a run go on to the epochs of its options, where they are more.

    What a finished run has is kept beside what will be: `model.keras` as
    `model-0020.keras` after 20 epochs, and the same with `metrics.json`. The
    learning rate is from there on that of a training of as many epochs.

    Args:
        run: `Run`, locked.
        options: what `with_more_epochs` returned, or the run's own.
        model: `CSGClassifier` that goes on. Its filters get the names that
            they had when the run was finished, or in the run it began with.
    """
    check_regular_files(run.path)
    if options.epochs != run.options.epochs:
        _go_on(run, options)
    model.filter_names = _names_before(run)


def _go_on(run, options):
    if run.is_finished():
        _reopen(run)
    config = json.loads(run.config_path.read_text())
    more = {"epochs": options.epochs, "time_budget": options.time_budget}
    write_json(run.config_path, {**config, **more})


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
    done = len(run.history.rows)
    if run.options.patience is not None:
        # Whose weights it has; the epochs after it are trained again.
        closes = model.gated and model.gate_budget is not None
        density = model.target_density if closes else None
        done = best_of(run.history, density) or done
    RunBackup(run.backup_path, run.history).save(done, model)
    if run.metrics_path.exists():
        write_json(run.path / f"metrics-{done:04d}.json", run.read_metrics())
    run.model_path.replace(run.path / f"model-{done:04d}.keras")
