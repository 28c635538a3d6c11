"""JSON of others: as large and as deep as it needs to be, and with numbers."""

import hashlib
import json
import pathlib
from typing import Any

from keras_csg.untrusted.limits import MOST_TEXT, MOST_VALUES, shown_bytes


def parse_json(text: str | bytes) -> Any:
    """Returns what a text says.

    Args:
        text: str, or bytes in UTF-8.

    Raises:
        ValueError: in one line, if it is no JSON, nested too deep, has NaN or
            an infinite number, or more values than a description needs.
    """
    if isinstance(text, bytes):
        check_text_size(len(text))
        text = text.decode("utf-8-sig")  # Some editors put a mark before it.
    check_text_size(len(text))
    # Counted before they are made: a value takes dozens of its own bytes.
    many = sum(text.count(sign) for sign in ",[{")
    if many > MOST_VALUES:
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_json(path: pathlib.Path) -> Any:
    """Returns what a file of JSON says.

    Args:
        path: path of a regular file.

    Raises:
        ValueError: as `parse_json`.
        OSError: if it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")
    check_text_size(path.stat().st_size)
    return parse_json(path.read_bytes())


def digest_of_json(values: Any) -> str:
    """Returns the SHA-256 of values, however their JSON is laid out."""
    plain = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def check_text_size(size: int) -> None:
    """Refuses a description that is larger than any needs to be.

    Args:
        size: int. Bytes, or letters.

    Raises:
        ValueError: naming the limit.
    """
    if size > MOST_TEXT:
        raise ValueError(
            f"it has {shown_bytes(size)}, and a description at most "
            f"{shown_bytes(MOST_TEXT)}"
        )


def _refuse(constant):
    raise ValueError(f"{constant} is no number that JSON has")
