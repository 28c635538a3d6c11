"""What is printed: names in it are data, and do nothing to a terminal."""

import codecs
import contextlib
import io
import sys

from keras_csg.printable import printable

LINES = "\n\t"
BYTES = "".join(map(chr, range(0xDC80, 0xDD00)))
"""Those of a file's name that are no text, as Python keeps them."""


class CleanStream:
    """A text stream into which nothing gets that a terminal would act on.

    Bytes of file names that are no text stay as they are where programs may
    read them: not on a terminal.

    Args:
        stream: text stream.
    """

    def __init__(self, stream):
        self.raw = stream
        self._keep = LINES if stream.isatty() else LINES + BYTES

    def write(self, text):
        """Writes a text, with what is not printable by number.

        Click writes what a shell completes as bytes.
        """
        if isinstance(text, bytes | bytearray):
            text = text.decode("utf-8", "surrogateescape")
        return self.raw.write(printable(text, self._keep))

    def __getattr__(self, name):
        if name == "buffer":  # Nothing goes past `write`.
            raise AttributeError(name)
        return getattr(self.raw, name)


@contextlib.contextmanager
def clean_output():
    """Lets all that is printed inside be clean."""
    before = {"stdout": sys.stdout, "stderr": sys.stderr}
    for name, stream in before.items():
        if stream is not None:  # A program may have no console.
            _know_all_letters(stream)
            setattr(sys, name, CleanStream(stream))
    try:
        yield
    finally:
        for name, stream in before.items():
            ours = getattr(sys, name)
            with contextlib.suppress(AttributeError, ValueError, OSError):
                ours.flush()
            if isinstance(ours, CleanStream):  # Else it leads nowhere now.
                setattr(sys, name, stream)


def _know_all_letters(stream):
    """Takes UTF-8 where the locale knows ASCII alone, as Click would."""
    if isinstance(stream, io.TextIOWrapper):
        with contextlib.suppress(LookupError):
            if codecs.lookup(stream.encoding).name == "ascii":
                stream.reconfigure(encoding="utf-8", errors=stream.errors)


def raw(stream):
    """Returns a stream for what has commands of its own, such as `rich`."""
    return getattr(stream, "raw", stream)
