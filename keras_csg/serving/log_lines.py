"""A line for each mistake of a client, but not for each of thousands."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

LINES = 20
SECONDS = 60.0
LOGGERS = ("uvicorn.error", "asyncio", "grpc._server", "concurrent.futures")
"""That of HTTP says each request that is none; that of the loop, each socket
that cannot be had."""


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
        if self.has_room():
            # Names in it are data: they must not look like lines of their own.
            self._log(text.encode("unicode_escape").decode("ascii"))

    def has_room(self) -> bool:
        """Counts a line, and returns whether there were not too many."""
        with self._lock:
            now, left_out = self._clock(), 0
            if now - self._start >= self._seconds:
                left_out = self._left_out
                self._start, self._passed, self._left_out = now, 0, 0
            self._passed += 1
            if self._passed > self._lines:
                self._left_out += 1
                return False
        if left_out:
            self._log(f"{left_out} more lines were left out.")
        return True


class FewRecords(logging.Filter):
    """Lets records of other packages count among the lines, and no more.

    Args:
        lines: `LogLines`.
    """

    def __init__(self, lines: LogLines):
        super().__init__()
        self._lines = lines

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a record is to be logged.

        What was not answered in time is a line, without its traceback.
        """
        error = record.exc_info and record.exc_info[1]
        if isinstance(error, asyncio.CancelledError):
            return False
        return record.levelno < logging.WARNING or self._lines.has_room()


@contextlib.contextmanager
def few_records(lines: LogLines) -> Iterator[None]:
    """Keeps what clients can make other packages log within the lines.

    Args:
        lines: `LogLines`.
    """
    few = FewRecords(lines)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addFilter(few)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(few)
