"""What is done after each epoch of a run, in its order."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras

from keras_csg.data import ClassificationData
from keras_csg.models import GateScheduler
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.callbacks import (
    AveragedValidation,
    BestEpoch,
    FiniteLoss,
    GateFreeMetrics,
    RunBackup,
)
from keras_csg.training.callbacks.best_epoch import closed_density
from keras_csg.training.history import History
from keras_csg.training.options import TrainingOptions
from keras_csg.training.runs import Run
from keras_csg.training.time_budget import TimeBudget


def best_epoch_of(
    run: Run, options: TrainingOptions, model: CSGClassifier, history: History
) -> BestEpoch | None:
    """Returns what chooses the best epoch, `None` where the last is it.

    Args:
        run: `Run`.
        options: its `TrainingOptions`.
        model: its `CSGClassifier`.
        history: its `History`.
    """
    if options.patience is None:
        return None
    return BestEpoch(
        run.backup_path, history, options.patience, closed_density(model)
    )


def callbacks_of(
    run: Run,
    options: TrainingOptions,
    model: CSGClassifier,
    data: ClassificationData,
    best: BestEpoch | None,
    history: History,
    log: Callable[[str], Any],
) -> Iterator[keras.callbacks.Callback]:
    """Yields the callbacks of a run.

    Args:
        run: `Run`.
        options: its `TrainingOptions`.
        model: its `CSGClassifier`.
        data: its `ClassificationData`.
        best: what `best_epoch_of` returned.
        history: its `History`, which each epoch is added to.
        log: callable that takes a line of progress.
    """
    if model.gated:
        yield GateScheduler(report=log)
    yield FiniteLoss()
    curve = None
    if options.trust_curve:
        batch_size = options.batch_size or 1
        curve = GateFreeMetrics(data.validation.batches(batch_size))
    if options.ema is not None:
        yield AveragedValidation(curve)
    elif curve is not None:
        yield curve
    yield RunBackup(run.backup_path, history, run.options.to_dict())
    if best is not None:
        yield best
    if options.time_budget is not None:
        yield TimeBudget(options.time_budget, history, log)


def has_ended(callbacks: Iterable[keras.callbacks.Callback]) -> bool:
    """Whether a part of the training before came to its end early.

    Args:
        callbacks: what `callbacks_of` yielded.
    """
    enders = (c for c in callbacks if isinstance(c, BestEpoch | TimeBudget))
    return any(callback.is_exhausted() for callback in enders)
