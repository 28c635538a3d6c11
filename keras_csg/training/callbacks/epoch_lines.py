from collections.abc import Callable
from typing import Any

import keras

SHOWN = {
    "loss": "loss",
    "accuracy": "accuracy",
    "class_specific_accuracy": "class-specific",
    "average_precision": "average precision",
    "class_specific_average_precision": "class-specific",
    "l1_density": "density",
    "val_accuracy": "validation accuracy",
    "val_class_specific_accuracy": "class-specific",
    "val_average_precision": "validation average precision",
    "val_class_specific_average_precision": "class-specific",
}
"""The figures in an epoch's line, and what they are called there."""


class EpochLines(keras.callbacks.Callback):
    """Says a line after every epoch.

    Args:
        epochs: int. Number of epochs of the training.
        log: callable that takes the line.
    """

    def __init__(self, epochs: int, log: Callable[[str], Any]):
        super().__init__()
        self.epochs = epochs
        self.log = log

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Says the epoch's figures."""
        target = getattr(self.model, "target_density", None)
        self.log(epoch_line(epoch, self.epochs, logs, target))


def epoch_line(
    epoch: int,
    epochs: int,
    logs: dict[str, Any] | None,
    target: float | None = None,
) -> str:
    """Returns the figures of an epoch as a line.

    Args:
        epoch: int, from 0.
        epochs: int. How many there are.
        logs: the figures by their names.
        target: float. The density that the gate is to end at.
    """
    known = logs or {}
    figures = ", ".join(
        f"{label} {known[name]:.4f}{_of(name, target)}"
        for name, label in SHOWN.items()
        if name in known
    )
    return f"epoch {epoch + 1}/{epochs}: {figures}"


def _of(name, target):
    if name != "l1_density" or target is None:
        return ""
    return f" (to {target:.4f})"
