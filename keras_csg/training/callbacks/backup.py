import os
import pathlib
import time
from typing import Any

import keras
import numpy as np

from keras_csg.files import whole_file
from keras_csg.layers.states import derive_state
from keras_csg.training.history import History
from keras_csg.untrusted.archives import read_arrays


class RunBackup(keras.callbacks.Callback):
    """Saves all that training needs to go on, after every epoch.

    One file an epoch, `epoch-0007.npz`, holds every variable of the model
    (the states of random layers too, which Keras's own weight files leave
    out) and of the optimizer. It appears under its name only when whole; the
    one before it goes when it is there. The position of every schedule is the
    epoch in its name and the optimizer's step in it. Nothing is pickled.

    Args:
        directory: `pathlib.Path` of the backups.
        history: `History` whose rows are written before the backup, so a
            backup of epoch `n` has at least `n` rows beside it.
    """

    def __init__(self, directory: pathlib.Path, history: History):
        super().__init__()
        self.directory = directory
        self.history = history
        self._began = 0.0

    def on_epoch_begin(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Starts the clock of the epoch."""
        self._began = time.monotonic()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Writes the epoch's row and the backup."""
        seconds = time.monotonic() - self._began
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        self.history.append(
            {
                "epoch": epoch + 1,
                "seconds": round(seconds, 2),
                "learning_rate": float(rate),
                **(logs or {}),
            }
        )
        self.save(epoch + 1, self.model)

    def save(self, epochs_done: int, model: keras.Model) -> None:
        """Writes the state of a compiled model after `epochs_done` epochs."""
        self.directory.mkdir(exist_ok=True)
        path = self.directory / f"epoch-{epochs_done:04d}.npz"
        with whole_file(path) as part, part.open("wb") as stream:
            np.savez(stream, **_state(model))
        for old in self.directory.glob("epoch-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)


def newest_backup(directory: pathlib.Path) -> tuple[pathlib.Path | None, int]:
    """Returns the path and the finished epochs of the newest backup.

    Returns `(None, 0)` where there is none.
    """
    paths = sorted(directory.glob("epoch-*.npz"))
    if not paths:
        return None, 0
    return paths[-1], int(paths[-1].stem.removeprefix("epoch-"))


def restore(path: str | os.PathLike, model: keras.Model) -> None:
    """Puts a backup's values back into a compiled, built model.

    Args:
        path: path of a file that `RunBackup` wrote.
        model: the model, built as it was when the backup was written.

    Raises:
        ValueError: if the file holds other variables than the model.
    """
    variables = _variables(model)
    values = read_arrays(path)
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
