import pathlib
import shutil
from typing import Any

import keras

from keras_csg.files import whole_file
from keras_csg.models.gate_lines import TOLERANCE
from keras_csg.training.backup_files import (
    DamagedBackupError,
    backup_path,
    read_values,
)
from keras_csg.training.callbacks.backup import restore
from keras_csg.training.history import History

SCORES = (
    "val_accuracy",
    "val_class_specific_accuracy",
    "val_average_precision",
    "val_class_specific_average_precision",
)
"""What epochs are compared by, those that a training has."""


def closed_density(model: Any) -> float | None:
    """Returns the density at which a model's gate counts as closed.

    No gate gets below that at which every filter keeps a class and every
    class a filter, whatever was asked for.

    Args:
        model: `CSGClassifier`.

    Returns:
        float, or `None` for one without a gate, or whose gate has no budget.
    """
    if not model.gated or model.gate_budget is None:
        return None
    least = 1 / min(model.num_classes, model.filters)
    return max(model.target_density, least)


def best_of(history: History, density: float | None) -> int | None:
    """Returns the number of the best epoch, from 1; `None` if none may be it.

    Args:
        history: `History`.
        density: see `BestEpoch`.
    """
    columns = history.columns()
    values = [columns[name] for name in SCORES if name in columns]
    closed = [True] * len(history.rows)
    if density is not None:
        most = TOLERANCE * density
        closed = [value <= most for value in columns.get("l1_density", [])]
    sums = [sum(row) for row in zip(*values, strict=True)]
    scores = {
        number: score
        for number, (score, ready) in enumerate(
            zip(sums, closed, strict=True), start=1
        )
        if ready
    }
    return max(scores, key=scores.__getitem__) if scores else None


class BestEpoch(keras.callbacks.Callback):
    """Keeps the best epoch's weights, and stops when none is better for long.

    By the accuracies on the validation split, of the standard path and of the
    class's own filters together; by the average precisions where an image may
    have several classes. Only epochs after which the gate is closed
    can be the best: before, it may be far from what is asked for. What it
    knows is read off the history, so that a resumed training goes on with it.

    It comes behind `RunBackup`, whose file of an epoch it keeps.

    Args:
        directory: `pathlib.Path` of the backups.
        history: `History` that `RunBackup` adds the epochs to.
        patience: int, at least 1. Epochs without a better one, after which the
            training stops.
        density: float. What the gate is to close to; `None` for a network
            without one, or whose gate has no budget.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        history: History,
        patience: int,
        density: float | None,
    ):
        super().__init__()
        self.directory = directory
        self.history = history
        self.patience = patience
        self.density = density

    @property
    def best(self) -> int | None:
        """The number of the best epoch, from 1; `None` before the first."""
        return best_of(self.history, self.density)

    def is_exhausted(self) -> bool:
        """Whether the last epochs were all no better than the best."""
        best, done = self.best, len(self.history.rows)
        return best is not None and done - best >= self.patience

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Keeps the epoch's backup if it is the best, and stops if need be."""
        done, best = epoch + 1, self.best
        self.keep()
        if best is not None and done - best >= self.patience:
            self.model.stop_training = True

    def keep(self) -> str | None:
        """Keeps the backup of the last epoch, if that is the best.

        Also where a training was killed between the two. Returns a line if
        the one that was kept before is lost.
        """
        best, done = self.best, len(self.history.rows)
        if best is None or best != done:
            return self._damage()
        kept = self._file(best)
        with whole_file(kept) as part:
            shutil.copyfile(backup_path(self.directory, best), part)
        for old in self.directory.glob("best-*.npz"):
            if old != kept:
                old.unlink()
        return None

    def _damage(self):
        """Returns a line if the best epoch's weights are lost."""
        best, done = self.best, len(self.history.rows)
        if best is None or best == done:
            return None
        try:
            read_values(self._file(best))
        except DamagedBackupError as error:
            return (
                f"The weights of epoch {best}, the best on the validation "
                f"split, are lost: {self._file(best)} {error}."
            )
        return None

    def put_back(self, model: keras.Model) -> str | None:
        """Gives a model the best epoch's weights; returns a line on that.

        Args:
            model: the model that was trained.
        """
        best, done = self.best, len(self.history.rows)
        if best is None or best == done:
            return None
        if lost := self._damage():
            return f"{lost} Those of the last epoch are kept."
        restore(self._file(best), model)
        return (
            f"Epoch {best} of {done} was the best on the validation split: "
            "its weights are kept."
        )

    def _file(self, epoch):
        return self.directory / f"best-{epoch:04d}.npz"
