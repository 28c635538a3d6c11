import warnings
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_csg.models.gate_lines import missed_density
from keras_csg.models.schedules import PathWeights, weights_at

CLOSING_SHARE = 0.5
"""Share of the gated steps of a training in which its gate closes."""


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
        report: callable that takes a line where the gate has not closed at
            the end; `None` for a Python warning.
    """

    def __init__(
        self,
        schedule: Callable[[int], PathWeights] | None = None,
        report: Callable[[str], Any] | None = None,
    ):
        super().__init__()
        self.schedule = schedule
        self.report = report or _warn
        self._planned = self._trained = self._closed = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets the plan of a `fit` before this one."""
        self._planned = self._trained = self._closed = False

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Sets the weights of the two paths for this epoch."""
        self._epoch = max(epoch, self.model.epochs_trained)
        self._offset = self._epoch - epoch
        weights = self._weights(epoch)
        self.model.path_weights.assign(weights)
        self._trained |= weights.gated > 0
        if not self._planned and self.model.gate_budget is not None:
            self._planned = self._plan(epoch)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Counts the epoch."""
        self.model.epochs_trained = self._epoch + 1
        budget = self.model.gate_budget
        self._closed |= budget is not None and budget.is_closed

    def report_open_gate(self) -> None:
        """Says so if the gate of the model as it is now has not closed.

        `fit` calls it when every callback is done: some put back the weights
        of another epoch.
        """
        penalty = self.model.gate_budget is None
        if penalty and self.report is _warn:
            return  # Who pulls at it by hand watches it.
        missed = missed_density(
            self.model, trained=self._trained, closed=self._closed
        )
        if missed:
            self.report(missed)

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


def _warn(line):
    warnings.warn(line, stacklevel=3)
