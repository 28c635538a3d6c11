import contextlib
from collections.abc import Iterator

from keras_csg.files import WAYS_OUT, what_to_do
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
    except OSError as error:
        if error.errno not in WAYS_OUT:
            raise _in_one_line(error) from error
        raise InputError(shortened(what_to_do(error))) from error
    except ValueError as error:
        raise _in_one_line(error) from error


def _in_one_line(error):
    lines = (line.strip() for line in str(error).splitlines())
    return InputError(shortened(" ".join(filter(None, lines))))
