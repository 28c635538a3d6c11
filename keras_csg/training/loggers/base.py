import abc
import re
import textwrap
from collections.abc import Callable
from typing import Any

import keras

from keras_csg.printable import printable
from keras_csg.training.record import read_json
from keras_csg.training.runs import Run
from keras_csg.untrusted.fields import record, table_of

LONGEST_REASON = 450
"""Characters of what a service says, of which the first line is shown."""
CREDENTIALS = re.compile(r"(?<=//)[^/@\s]*@")
SENT = (".png", ".json", ".csv")
"""Endings of the files of a run that a service keeps a copy of."""
KEPT_BACK = ("checksums.json", "record.json", "loggers.json")
"""Those that mean something within the run alone."""


class RunLogger(keras.callbacks.Callback, abc.ABC):
    """Sends what a run writes down to a service that shows it beside others.

    The rows of `history.csv` after each epoch, so that it comes behind
    `RunBackup`; the figures of `metrics.json` and the files in the end. What
    the service calls the run, and how many epochs it has, stand in
    `loggers.json`: a training that is gone on with goes on in the same one,
    and what was missed follows.

    A service that fails costs a line and never the training: it is left alone
    then until the end, when all that is missing is sent once more.

    Args:
        run: `Run`.
        log: callable that takes a line.
    """

    name: str
    title: str
    way_out: str

    def __init__(self, run: Run, log: Callable[[str], Any]):
        super().__init__()
        self.run = run
        self.log = log
        self.known: dict[str, Any] = {}
        self.run_id: str | None = None
        self._began = False
        self._failed = False

    @property
    def shown_name(self) -> str:
        """What a service calls the run at first."""
        return clean(self.run.path.absolute().name)

    @property
    def shown_options(self) -> dict[str, Any]:
        """The options of the run as a service shows them."""
        return clean(self.run.options.to_dict())

    @abc.abstractmethod
    def reach(self) -> None:
        """Looks whether the service answers and knows a run gone on with."""

    @abc.abstractmethod
    def begin(self) -> None:
        """Begins `run_id`, or a run that becomes it, with all the options.

        It is called again if it failed.
        """

    @abc.abstractmethod
    def send_epochs(self, rows: list[dict[str, float]]) -> None:
        """Sends rows of the history; `epoch` counts from 1."""

    @abc.abstractmethod
    def send_results(self, figures: dict[str, float]) -> None:
        """Sends the last figures, and `files()`."""

    @abc.abstractmethod
    def end(self, status: str) -> None:
        """Says that the run is `"finished"`, `"failed"` or `"killed"`."""

    def open(self) -> None:
        """Refuses a service that cannot be had, before anything is written.

        Raises:
            ValueError: with what it said.
        """
        self.known = self._read().get(self.name, {})
        self.run_id = self.known.get("run_id")
        try:
            self.reach()
        except Exception as error:  # Of whatever the service is made of.
            raise ValueError(
                f"{self.title} cannot be used: {reason(error)} "
                f"{self.way_out}, or leave it out of `loggers`."
            ) from error

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins the run there, or goes on with it."""
        sent = self.known.get("epochs", 0)
        if sent:  # What came after a best epoch that is gone on from is undone.
            done = len(self.run.history.rows)
            self.known["epochs"] = min(sent, done)
        self._attempt()

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Sends the epoch's row."""
        if not self._failed:
            self._attempt()

    def finish(self, figures: dict[str, Any]) -> None:
        """Sends what is missing, the last figures and the files.

        Args:
            figures: those of `metrics.json`, of which numbers are sent.
        """
        numbers = {
            f"final/{name}": float(value)
            for name, value in figures.items()
            if isinstance(value, int | float)
        }
        try:
            self._catch_up()
            self.send_results(numbers)
            self.end("finished")
        except Exception as error:  # See `open`.
            self.log(
                f"{self.title} has not got all of the run: {reason(error)} "
                f"It is whole in {self.run}."
            )
        self._began = False

    def stop(self, status: str) -> None:
        """Says that the training ended before its time, if anybody listens.

        Args:
            status: str. `"failed"` or `"killed"`.
        """
        if self._began and not self._failed:
            try:
                self.end(status)
            except Exception as error:  # See `open`.
                self._complain(error)
        self._began = False

    def files(self) -> list:
        """Returns the paths of the run's pictures and tables."""
        paths = (p for p in self.run.path.iterdir() if p.suffix in SENT)
        return sorted(p for p in paths if p.name not in KEPT_BACK)

    def _attempt(self):
        try:
            self._catch_up()
        except Exception as error:  # See `open`.
            self._failed = True
            self._complain(error)

    def _complain(self, error):
        self.log(
            f"{self.title} fails, and training goes on without it: "
            f"{reason(error)}"
        )

    def _catch_up(self):
        """Begins if need be, and sends all rows that have not been sent."""
        if not self._began:
            self.begin()
            self._began = True
            self._keep(run_id=self.run_id)
        rows = self.run.history.rows
        missing = rows[self.known.get("epochs", 0) :]
        if missing:
            self.send_epochs([_numbers(row) for row in missing])
            self._keep(epochs=len(rows))

    def _keep(self, **facts):
        self.known |= facts
        path = self.run.loggers_path
        everyone = {**self._read(), self.name: self.known}
        self.run.checksums.write_json(path, everyone)

    def _read(self):
        path = self.run.loggers_path
        if not path.exists():
            return {}
        way_out = f"Remove {path}."
        found = read_json(self.run.checksums, path, way_out)
        try:
            return table_of(record({}, {}))(found, "it")
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}. {way_out}") from None


def clean(value: Any) -> Any:
    """Returns what a service shows, in which names are mere text.

    Args:
        value: anything that JSON can hold.
    """
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list | tuple):
        return type(value)(map(clean, value))
    if isinstance(value, dict):
        return {clean(name): clean(one) for name, one in value.items()}
    return value


def reason(error: Exception) -> str:
    """Returns why something failed as one line, without anyone's password."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = textwrap.shorten(without_password(lines[0]), LONGEST_REASON)
    return line if line.endswith(".") else f"{line}."


def without_password(text: str) -> str:
    """Returns a text whose addresses have no user and no password."""
    return CREDENTIALS.sub("", text)


def _numbers(row):
    """Returns a row of the history as numbers, without what it lacks."""
    values = {name: float(text) for name, text in row.items() if text}
    return {name: v for name, v in values.items() if v == v}
