import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_csg.layers.gate_budget import CLOSING_STEPS
from keras_csg.models.schedules import PathWeights, weights_at

CLOSING_SHARE = 0.5
"""Share of the gated steps of a training in which its gate closes."""
TOLERANCE = 1.02
"""By how much a gate may miss its density before somebody is told."""


class GateScheduler(keras.callbacks.Callback):
    """Says which paths an epoch trains, and by when the gate is closed.

    Writes the epoch's path weights to the model. Epochs count from the first
    that the model was ever trained for, so that a schedule goes on where `fit`
    is called again. Plans the gate's budget over the first half of the gated
    steps that `fit` is going to take, unless the model has `closing_steps`;
    called again before the gate is closed, over half of what comes now.

    Args:
        schedule: callable from an epoch to `PathWeights`. Defaults to the
            model's own.
    """

    def __init__(self, schedule: Callable[[int], PathWeights] | None = None):
        super().__init__()
        self.schedule = schedule
        self._planned = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets the plan of a `fit` before this one."""
        self._planned = False

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Sets the weights of the two paths for this epoch."""
        self._epoch = max(epoch, self.model.epochs_trained)
        self._offset = self._epoch - epoch
        self.model.path_weights.assign(self._weights(epoch))
        if not self._planned and self.model.gate_budget is not None:
            self._planned = self._plan(epoch)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Counts the epoch."""
        self.model.epochs_trained = self._epoch + 1

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Says so in a warning if the gate has not closed."""
        if self.model.gate_budget is not None:
            missed = missed_density(self.model)
            if missed:
                warnings.warn(missed, stacklevel=2)

    def _weights(self, epoch):
        schedule = self.schedule or self.model.schedule
        return weights_at(schedule, epoch + self._offset)

    def _plan(self, first):
        """Plans the budget if that can be done yet, and says whether."""
        budget = self.model.gate_budget
        resumed = first > 0 and budget.is_planned
        if resumed or budget.is_closed:
            return True
        if self.model.closing_steps is not None:
            if not budget.is_planned:
                budget.plan(self.model.closing_steps)
            return True
        gated = sum(
            self._weights(epoch)[1] > 0
            for epoch in range(first, self.params["epochs"])
        )
        steps = self.params["steps"] or self._steps_of_first_epoch()
        if steps:
            budget.plan(max(round(CLOSING_SHARE * gated * steps), 1))
            return True
        budget.hold()
        return False

    def _steps_of_first_epoch(self):
        """Returns how many steps the data turned out to be good for."""
        budget = self.model.gate_budget
        return int(ops.convert_to_numpy(budget.updates - budget.planned_at))


def missed_density(model: Any) -> str | None:
    """Says in one line that a trained gate is not as sparse as asked.

    Args:
        model: `CSGClassifier` with a gate.

    Returns:
        The line, or `None` if the gate is.
    """
    target = model.target_density
    density = float(ops.convert_to_numpy(model.gate.l1_density()))
    if density <= TOLERANCE * target:
        return None
    return (
        f"The gate ended at a density of {density:.4f}, not at {target:.4f}: "
        f"{_reason(model)}."
    )


def _reason(model):
    if not model.gate.trainable:
        return "it is frozen"
    if model.gate_budget is None:
        return "`lambda_2` pulled too little for this optimizer, rate and time"
    if model.gate_budget.is_closed:
        return "every class keeps at least one filter"
    return (
        "training ended before it closed; give more epochs with the gated "
        "path, fewer `closing_steps`, or call `fit` again"
    )


def warn_of_unplanned(model: Any) -> None:
    """Says once what training batch by batch cannot know by itself.

    Args:
        model: `CSGClassifier` with a gate.
    """
    if getattr(model, "_told_of_plan", False):
        return
    model._told_of_plan = True
    if weights_at(model.schedule, 0).gated == 0 and not model.epochs_trained:
        warnings.warn(
            "`train_on_batch` knows of no epochs, and this schedule's first "
            "do not train the gate: call `model.begin_epoch(epoch)` at the "
            "start of each.",
            stacklevel=3,
        )
    budget = model.gate_budget
    if budget is None or budget.is_planned:
        return
    if model.closing_steps is not None:
        budget.plan(model.closing_steps)
        return
    warnings.warn(
        f"The gate closes in {CLOSING_STEPS} steps, as `train_on_batch` does "
        "not know how many there are; say so by `closing_steps`.",
        stacklevel=3,
    )
