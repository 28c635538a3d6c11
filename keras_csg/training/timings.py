import contextlib
import time
from collections.abc import Iterator
from typing import Any

import keras


class Timings(keras.callbacks.Callback):
    """Where the time of a run goes, from its set-up to its last figure.

    As a callback it tells the first step, in which TensorFlow builds its
    graph, from those after it. Of a short training most is spent around it.

    Attributes:
        seconds: dict from the name of each part to its seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}
        self._created = time.monotonic()
        self._before = 0.0
        self._began: float | None = None

    def count_before(self, name: str, began: float) -> None:
        """Adds a part that lay before all others.

        Args:
            name: str. What it was.
            began: float. When it began, by `time.monotonic()`.
        """
        self._before = self._created - began
        self.seconds = {name: self._before, **self.seconds}

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Adds the time within to a part."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._add(name, time.monotonic() - began)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock of the first step."""
        self._began = time.monotonic()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Notes the first step."""
        if "first_step" not in self.seconds and self._began is not None:
            self._add("first_step", time.monotonic() - self._began)
            self._began = time.monotonic()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Notes the steps after it, validation included."""
        if self._began is not None:
            self._add("training", time.monotonic() - self._began)

    def _add(self, name, seconds):
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def figures(self) -> dict[str, float]:
        """Returns the seconds under names for `metrics.json`."""
        return {
            f"{name}_seconds": round(seconds, 2)
            for name, seconds in self.seconds.items()
        }

    def line(self) -> str:
        """Returns where the time since the start went, as a line."""
        total = time.monotonic() - self._created + self._before
        spent = {**self.seconds, "other": total - sum(self.seconds.values())}
        parts = ", ".join(
            f"{name.replace('_', ' ')} {seconds:.1f} s"
            for name, seconds in spent.items()
        )
        return f"Time: {total:.1f} s: {parts}"
