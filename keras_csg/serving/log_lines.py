"""A line for each mistake of a client, but not for each of thousands."""

import threading
import time
from collections.abc import Callable
from typing import Any

LINES = 20
SECONDS = 60.0


class LogLines:
    """Passes lines on, up to so many in a while, and counts the others.

    Args:
        log: callable that takes a line.
        lines: int. Most lines of a while.
        seconds: float. How long that is.
        clock: callable that tells the time in seconds.
    """

    def __init__(
        self,
        log: Callable[[str], Any],
        lines: int = LINES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._log = log
        self._lines = lines
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._start = clock()
        self._passed = self._left_out = 0

    def __call__(self, text: str) -> None:
        """Passes a line on, if there were not too many."""
        with self._lock:
            now, left_out = self._clock(), 0
            if now - self._start >= self._seconds:
                left_out = self._left_out
                self._start, self._passed, self._left_out = now, 0, 0
            self._passed += 1
            if self._passed > self._lines:
                self._left_out += 1
                return
        if left_out:
            self._log(f"{left_out} more lines were left out.")
        # Names in it are data: they must not look like lines of their own.
        self._log(text.encode("unicode_escape").decode("ascii"))
