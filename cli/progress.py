"""Progress of a training on stderr; imported by commands when they run."""

import keras
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from keras_csg.training.callbacks.epoch_lines import epoch_line
from keras_csg_cli.tracking import Bar, print_on

REFRESH_SECONDS = 0.5


class TrainingProgress(keras.callbacks.Callback):
    """A bar with the time left, and a line for every finished epoch.

    Where stderr is not a terminal there are the lines alone, each with the
    time left.
    """

    async_safe = True

    def __init__(self, console, trainer):
        super().__init__()
        self.console = console
        self.epochs = trainer.options.epochs
        self.steps = trainer.steps
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=console,
            transient=True,
            refresh_per_second=1 / REFRESH_SECONDS,
            disable=not console.is_terminal,
            # Half a minute of steps settles the estimate.
            speed_estimate_period=30,
        )
        self.task = None
        self._epoch_start = 0

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *error):
        self.bar.stop()

    def on_epoch_begin(self, epoch, logs=None):
        """Moves the bar to the epoch."""
        self._epoch_start = done = epoch * self.steps
        if self.task is None:
            self.task = self.bar.add_task(
                "", total=self.epochs * self.steps, completed=done
            )
        self.bar.update(
            self.task,
            completed=done,
            description=f"epoch {epoch + 1}/{self.epochs}",
        )

    def on_train_batch_end(self, batch, logs=None):
        """Moves the bar to the step."""
        self.bar.update(self.task, completed=self._epoch_start + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the epoch's figures."""
        line = epoch_line(
            epoch,
            self.epochs,
            logs,
            getattr(self.model, "target_density", None),
        )
        print_on(self.console, line)
