"""Keeps what exporters print to themselves, unless they fail."""

import contextlib
import io
import logging
import os
import sys
import tempfile
import warnings


@contextlib.contextmanager
def quietly():
    """Holds back what is printed, logged or warned of inside.

    Converters write to the process's stdout and stderr from C++, log, print
    and warn about their own code. If the body raises, what it had to say is
    shown on stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    disabled = logging.root.manager.disable
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 1)
        os.dup2(held_back.fileno(), 2)
        logging.disable(logging.WARNING)
        try:
            with (
                # A notebook's or a test's is not the process's.
                contextlib.redirect_stdout(_process_stream(1)),
                contextlib.redirect_stderr(_process_stream(2)),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("ignore")
                yield
        except Exception:
            held_back.seek(0)
            os.write(kept[1], held_back.read())
            raise
        finally:
            logging.disable(disabled)
            for number, descriptor in zip((1, 2), kept, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)


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
