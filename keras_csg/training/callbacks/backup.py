import os
import pathlib
import time
from collections.abc import Mapping
from typing import Any

import keras

from keras_csg.layers.states import derive_state
from keras_csg.training.backup_files import (
    DamagedBackupError,
    backup_path,
    read_values,
    remove_backups,
    write_backup,
)
from keras_csg.training.history import History


class RunBackup(keras.callbacks.Callback):
    """Saves all that training needs to go on, after every epoch.

    One file an epoch, `epoch-0007.npz`, holds every variable of the model
    (the states of random layers too, which Keras's own weight files leave
    out) and of the optimizer, the rows of the history so far, the options of
    the run and a checksum of all that. It appears under its name only when
    whole; the one before it stays beside it, and those before that go. The
    position of every schedule is the epoch in its name and the optimizer's
    step in it. Nothing is pickled.

    Args:
        directory: `pathlib.Path` of the backups.
        history: `History` that the rows are added to; its file is written
            behind the backup, from the same rows.
        options: dict of the options of the run.
    """

    def __init__(
        self,
        directory: pathlib.Path,
        history: History,
        options: Mapping[str, Any] | None = None,
    ):
        super().__init__()
        self.directory = directory
        self.history = history
        self.options = dict(options or {})
        self._began = 0.0

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Starts the clock of the epoch."""
        self._began = time.monotonic()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Writes the backup and the epoch's row."""
        seconds = time.monotonic() - self._began
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self.history.add(
            {
                "epoch": epoch + 1,
                "seconds": round(seconds, 2),
                "learning_rate": float(rate),
                **(logs or {}),
            }
        )
        self.save(epoch + 1, self.model)
        self.history.write()

    def save(self, epochs_done: int, model: keras.Model) -> None:
        """Writes the state of a compiled model after `epochs_done` epochs."""
        self.directory.mkdir(exist_ok=True)
        record = {
            "epochs": epochs_done,
            "options": self.options,
            "rows": self.history.rows[:epochs_done],
        }
        path = backup_path(self.directory, epochs_done)
        write_backup(path, _state(model), record)
        remove_backups(self.directory, but={epochs_done, epochs_done - 1})


def restore(path: str | os.PathLike, model: keras.Model) -> None:
    """Puts a backup's values back into a compiled, built model.

    Args:
        path: path of a file that `RunBackup` wrote.
        model: the model, built as it was when the backup was written.

    Raises:
        ValueError: if the file is damaged, or holds other variables than the
            model.
    """
    variables = _variables(model)
    try:
        values, _ = read_values(pathlib.Path(path))
    except DamagedBackupError as error:
        raise ValueError(f"{path} {error}.") from error
    shapes = {name: value.shape for name, value in values.items()}
    if shapes != {name: tuple(v.shape) for name, v in variables.items()}:
        raise ValueError(
            f"{path} is not a backup of this model: it holds other variables."
        )
    for name, variable in variables.items():
        variable.assign(values[name])
    derive_state(model)


def _variables(model):
    """Returns every variable to keep by its place.

    Their paths will not do: Keras numbers the layers of a process.
    """
    model.build_optimizer()
    owners = {"model": model, "optimizer": model.optimizer}
    return {
        f"{owner} {place:05d}": variable
        for owner, having in owners.items()
        for place, variable in enumerate(having.variables)
    }


def _state(model):
    return {
        name: keras.ops.convert_to_numpy(variable)
        for name, variable in _variables(model).items()
    }
