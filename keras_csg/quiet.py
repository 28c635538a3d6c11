"""Holds back what converters print, and shows it if they fail."""

import contextlib
import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Holds back what is printed, logged or warned of inside.

    Converters write to the process's stdout and stderr from C++, log, print
    and warn about their own code. If the body raises, what it printed is shown
    on stderr.
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
def held_back(*descriptors: int) -> Iterator[None]:
    """Holds back what is written to the process's file descriptors inside.

    If the body raises, it is shown on stderr.

    Args:
        *descriptors: numbers of file descriptors: 1 is stdout, 2 is stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in descriptors}
    with tempfile.TemporaryFile() as text:
        for number in kept:
            os.dup2(text.fileno(), number)
        try:
            yield
        except Exception:
            text.seek(0)
            os.write(kept.get(2, 2), text.read())
            raise
        finally:
            for number, descriptor in kept.items():
                os.dup2(descriptor, number)
                os.close(descriptor)


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
    return io.TextIOWrapper(
        io.FileIO(number, "w", closefd=False),
        errors="replace",
        write_through=True,
    )
