from collections.abc import Callable
from typing import Any

import keras

SHOWN = {
    "loss": "loss",
    "accuracy": "accuracy",
    "class_specific_accuracy": "class-specific",
    "l1_density": "density",
    "val_accuracy": "validation accuracy",
    "val_class_specific_accuracy": "class-specific",
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
        self.log(epoch_line(epoch, self.epochs, logs))


def epoch_line(epoch: int, epochs: int, logs: dict | None) -> str:
    """Returns the figures of an epoch, counted from 0, as a line."""
    known = logs or {}
    figures = ", ".join(
        f"{label} {known[name]:.4f}"
        for name, label in SHOWN.items()
        if name in known
    )
    return f"epoch {epoch + 1}/{epochs}: {figures}"
