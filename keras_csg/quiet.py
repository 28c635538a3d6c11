"""Holds back what converters print, and shows it if they fail."""

import contextlib
import io
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator

_ONE_AT_A_TIME = threading.RLock()
"""The process has one standard output: who swaps it waits for the others."""


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Holds back what is printed, logged or warned of inside.

    Converters write to the process's stdout and stderr from C++, log, print
    and warn about their own code. If the body raises, what it printed is shown
    on stderr. What other threads print meanwhile is held back as well, so only
    what takes long and happens seldom belongs inside.
    """
    with (
        held_back(1, 2),
        _without_logging(),
        # A notebook's or a test's is not the process's.
        contextlib.redirect_stdout(_process_stream(1)),
        contextlib.redirect_stderr(_process_stream(2)),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def held_back(
    *descriptors: int, but_show_all_except: bytes | None = None
) -> Iterator[None]:
    """Holds back what is written to the process's file descriptors inside.

    If the body raises, it is shown on stderr. Threads wait for each other, and
    the descriptors are what they were in the end, whatever happens; one that
    is not open, as in a program without a console, is left alone.

    Args:
        *descriptors: numbers of file descriptors: 1 is stdout, 2 is stderr.
        but_show_all_except: bytes. A line to drop, of one descriptor; other
            lines are written there in the end.
    """
    with _ONE_AT_A_TIME, contextlib.ExitStack() as at_the_end:
        _flush()
        kept = {}
        for number in descriptors:
            with contextlib.suppress(OSError):  # It is not open.
                kept[number] = os.dup(number)
                at_the_end.callback(os.close, kept[number])
        text = at_the_end.enter_context(tempfile.TemporaryFile())
        for number, copy in kept.items():
            at_the_end.callback(os.dup2, copy, number)
            os.dup2(text.fileno(), number)
        at_the_end.callback(_flush)
        try:
            yield
        except Exception:
            _write(kept.get(2, 2), _all_of(text))
            raise
        if but_show_all_except is not None and kept:
            lines = _all_of(text).splitlines(keepends=True)
            others = [x for x in lines if x.strip() != but_show_all_except]
            (shown,) = kept.values()
            _write(shown, b"".join(others))


def _flush():
    """Writes out what Python has not yet; there may be no such stream."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()


def _all_of(text):
    _flush()
    text.seek(0)
    return text.read()


def _write(descriptor, text):
    with contextlib.suppress(OSError):  # There is nobody to show it to.
        while text:
            text = text[os.write(descriptor, text) :]


@contextlib.contextmanager
def _without_logging():
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(disabled)


def _process_stream(number):
    """Returns a stream to a descriptor that never closes it.

    A log handler that is made inside keeps the stream it found, and has to
    be able to write to it afterwards.
    """
    try:
        raw = io.FileIO(number, "w", closefd=False)
    except OSError:  # It is not open.
        return io.StringIO()
    return io.TextIOWrapper(raw, errors="replace", write_through=True)
