"""As many epochs as fit into a time."""

import math
import random
import time
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_csg.data import ClassificationData
from keras_csg.models import GateScheduler
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.history import History
from keras_csg.training.model import create_model
from keras_csg.training.processes import own_share

WARM_STEPS = 3
LEAST_SECONDS = 3.0
"""Seconds of steps that an estimate is made of."""
FORWARD_SHARE = 1 / 3
"""What an image costs in validation, of what it costs in training."""
ROOM = 1.25
"""Times the budget after which a training is stopped all the same."""


def within_time(
    options: Any,
    data: ClassificationData,
    backbone: keras.Model,
    log: Callable[[str], Any],
) -> Any:
    """Returns options with as many of the epochs as fit into the time.

    At least one. A training with as many from the start is the same, to the
    bit: what is tried out leaves no trace.

    Args:
        options: `TrainingOptions` with `time_budget`, without a `None` that
            matters here.
        data: `ClassificationData`.
        backbone: `keras.Model` of the training.
        log: callable that takes a line.

    Raises:
        ValueError: where several processes train, each of which would choose.
    """
    if own_share() is not None:
        raise ValueError(
            "`time_budget` is for one process: say how many `epochs` several "
            "are to train."
        )
    drawn = random.getstate()
    kept = [ops.convert_to_numpy(variable) for variable in backbone.variables]
    steps = data.train.steps_per_epoch(options.batch_size)
    model = create_model(options, data, backbone, steps)
    first, seconds = seconds_of_epochs(
        model,
        data,
        batch_size=options.batch_size,
        seed=options.seed,
        augmentation=options.augment or "none",
    )
    for variable, value in zip(backbone.variables, kept, strict=True):
        variable.assign(value)
    random.setstate(drawn)
    fit = math.floor((options.time_budget * 60 - first) / seconds)
    epochs = min(options.epochs, max(1, fit))
    warmup = min(options.lr_warmup, epochs - 1)
    each = f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"
    log(
        f"Time budget: {epochs} of {options.epochs} epochs in "
        f"{options.time_budget:g} minutes, {each} each"
    )
    return options.replace(epochs=epochs, lr_warmup=warmup)


def seconds_of_epochs(
    model: CSGClassifier,
    data: ClassificationData,
    *,
    batch_size: int,
    seed: int = 0,
    augmentation: str = "none",
) -> tuple[float, float]:
    """Measures what epochs will take, validation included.

    The model is trained a little by it: give one that is not needed.

    Args:
        model: compiled `CSGClassifier`.
        data: `ClassificationData`, whose train split is used.
        batch_size: int.
        seed: int. Of the images.
        augmentation: str. See `keras_csg.data.augmentation`.

    Returns:
        A tuple of the seconds before the first step, in which the step is
        compiled, and those of an epoch.
    """
    steps = data.train.steps_per_epoch(batch_size)
    batches = data.train.training_batches(
        batch_size, seed=seed, epochs=10**6, augmentation=augmentation
    )

    def taken(count):
        began = time.monotonic()
        model.fit(
            batches,
            steps_per_epoch=count,
            shuffle=False,
            measure_again=False,
            callbacks=[GateScheduler(report=lambda line: None)],
            verbose=0,
        )
        return time.monotonic() - began

    # One longer than another: what both begin with does not count.
    first = taken(WARM_STEPS)
    short = taken(WARM_STEPS)
    count = WARM_STEPS
    while True:
        count *= 4
        longer = taken(count) - short
        if longer > LEAST_SECONDS or count >= steps:
            break
    step = max(longer / (count - WARM_STEPS), 1e-4)
    validation = data.validation.steps_per_epoch(batch_size)
    return max(first - short, 0), step * (steps + FORWARD_SHARE * validation)


class TimeBudget(keras.callbacks.Callback):
    """Stops a training that takes far longer than it was to.

    As where a machine has become slower: how many epochs there are was chosen
    by the time that they took at first.

    Args:
        minutes: float.
        history: `History`, whose `seconds` count; `RunBackup` writes it.
        log: callable that takes a line.
    """

    def __init__(
        self, minutes: float, history: History, log: Callable[[str], Any]
    ):
        super().__init__()
        self.minutes = minutes
        self.history = history
        self.log = log

    def is_exhausted(self) -> bool:
        """Whether another epoch would take more than there is, by far."""
        seconds = self.history.column("seconds")
        # In the first one the step was compiled.
        another = min(seconds[1:], default=0)
        return sum(seconds) + another > ROOM * 60 * self.minutes

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Stops, and says so, if the time is up before the last epoch."""
        if epoch + 1 < self.params["epochs"] and self.is_exhausted():
            self.log(
                f"The time budget of {self.minutes:g} minutes is used up: "
                f"stopped after epoch {epoch + 1} of {self.params['epochs']}"
            )
            self.model.stop_training = True
