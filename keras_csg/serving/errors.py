"""What is wrong with a request, in one line for whoever sent it."""

from typing import Any

MOST_SHOWN = 60
MOST_WORDS = 120

BAD_REQUEST = 400
NOT_FOUND = 404
TIMED_OUT = 408
TOO_LARGE = 413
WRONG_KIND = 415
FAILED = 500
UNAVAILABLE = 503


class RequestError(Exception):
    """A request that cannot be answered, for a reason its sender is told.

    Args:
        message: str. One line that names the field.
        status: int. The status of HTTP; gRPC has one that corresponds.
    """

    def __init__(self, message: str, status: int = BAD_REQUEST):
        super().__init__(message)
        self.status = status


def plain(text: str) -> str:
    """Returns the words of another's message, short and on one line.

    Args:
        text: str.
    """
    return ascii(text[:MOST_WORDS])[1:-1]


def shown(value: Any) -> str:
    """Returns something of a request as it may stand in a message or a log.

    Short, in ASCII, on one line, whatever is in it.

    Args:
        value: anything.
    """
    if isinstance(value, str | bytes):
        value = value[: 4 * MOST_SHOWN]
    elif isinstance(value, list | dict):
        # The text of a large or deep one would take long, or fail.
        return f"a {'list' if isinstance(value, list) else 'dict'}"
    text = ascii(value)
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 3] + "..."
