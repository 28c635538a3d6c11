import contextlib
from collections.abc import Iterator

from keras_csg.printable import shortened


class InputError(ValueError):
    """What was asked for cannot be had; the message says why in one line."""


@contextlib.contextmanager
def input_errors() -> Iterator[None]:
    """Turns errors about what the user gave into `InputError`.

    For the part of a function that checks and reads it: the same errors from
    deeper down are faults of the package and stay what they are.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        lines = (line.strip() for line in str(error).splitlines())
        text = " ".join(filter(None, lines))
        raise InputError(shortened(text)) from error
