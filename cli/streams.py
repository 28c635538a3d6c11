"""Standard output and standard error that say when they cannot be written.

A full disk is one line and exit code 1, as of other tools; a reader that has
seen enough, such as `head`, is none, and 141, as of those whom SIGPIPE ends.
"""

import contextlib
import io
import os
import sys

FAILED = 1
NOT_READ = 141


class OutputGone(BaseException):
    """Standard output cannot be written; no library takes it for its own.

    Attributes:
        exit_code: int.
        line: str to say; `None` for nothing.
    """

    def __init__(self, error):
        super().__init__(str(error))
        self.exit_code, self.line = NOT_READ, None
        if not isinstance(error, BrokenPipeError):
            self.exit_code = FAILED
            reason = error.strerror or error
            self.line = f"Error: Cannot write to standard output: {reason}."


def watch():
    """Takes standard output and standard error in hand, once."""
    _open_closed()
    # What cannot be written to standard error nobody could be told.
    for name, fail in (("stdout", _raise_gone), ("stderr", _drop)):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not _is_watched(stream):
            setattr(sys, name, _watched(stream, fail))


def flush():
    """Writes what waits; raises `OutputGone` if it cannot be."""
    if sys.stdout is not None:
        sys.stdout.flush()


def forget_output():
    """Drops what could not be written, which Python would try again."""
    sys.stdout = open(os.devnull, "w")


def _open_closed():
    """Lets no file take the place of a stream that was closed (`>&-`).

    What libraries print would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                # Of the numbers that are free the lowest is taken.
                os.open(os.devnull, os.O_RDWR)


def _is_watched(stream):
    return isinstance(stream.buffer, _Watched)


def _watched(stream, fail):
    about = {
        "encoding": stream.encoding,
        "errors": stream.errors,
        "line_buffering": stream.line_buffering,
        "write_through": stream.write_through,
    }
    stream.flush()
    binary = stream.detach()
    raw = binary.detach() if isinstance(binary, io.BufferedWriter) else binary
    return io.TextIOWrapper(_Watched(raw, fail, raw is binary), **about)


class _Watched(io.BufferedWriter):
    """Bytes on their way out, and what to do where they cannot go.

    Args:
        raw: the raw stream.
        fail: callable that takes the `OSError`.
        at_once: bool. Whether nothing waits, as with `python -u`.
    """

    def __init__(self, raw, fail, at_once):
        super().__init__(raw)
        self._fail = fail
        self._at_once = at_once

    def write(self, data):
        """Writes bytes."""
        try:
            count = super().write(data)
            if self._at_once:
                super().flush()
        except OSError as error:
            self._say(error)
            return len(data)
        return count

    def flush(self):
        """Writes what waits."""
        try:
            super().flush()
        except OSError as error:
            self._say(error)

    def _say(self, error):
        """Says it once: what is left is tried again when Python ends."""
        fail, self._fail = self._fail, _nothing
        fail(error)


def _nothing(error):
    pass


def _raise_gone(error):
    raise OutputGone(error) from error


def _drop(error):
    """Lets standard error lead nowhere from now on."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
