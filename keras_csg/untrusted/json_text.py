"""JSON of others: as large and as deep as it needs to be, and with numbers."""

import hashlib
import json
import pathlib
import re
from typing import Any

from keras_csg.files import check_regular
from keras_csg.untrusted.limits import MOST_TEXT, MOST_VALUES, shown_bytes

DEEP = r"(?:[\[{]\s*){20}"


class _RefusedError(ValueError):
    """What JSON of a description does not have."""


def parse_json(
    text: str | bytes, *, pairs: bool = False, limited: bool = True
) -> Any:
    """Returns what a text says.

    Args:
        text: str, or bytes in UTF-8.
        pairs: bool. Whether tables become lists of pairs, in which a name may
            be there twice.
        limited: bool. Whether it is a description. Lists of images are as long
            as there are images.

    Raises:
        ValueError: in one line, if it is no JSON, nested too deep, has NaN or
            an infinite number or, being a description, more values than one
            needs, or a name twice in a table.
    """
    if limited:
        check_text_size(len(text))
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")  # Some editors put a mark before it.
    if limited:
        _check_values(text)
    hook = list if pairs else _table if limited else None

    def refuse(constant):
        where = _field_before(text, re.escape(constant))
        raise _RefusedError(f"{where}{constant} is no number that JSON has")

    try:
        return json.loads(text, parse_constant=refuse, object_pairs_hook=hook)
    except RecursionError as error:
        where = _field_before(text, DEEP).removesuffix(": ") or "it"
        raise ValueError(f"{where} is nested too deep") from error
    except (json.JSONDecodeError, _RefusedError):
        raise
    except ValueError as error:  # Python's, which names a setting of its own.
        where = _field_before(text, r"-?\d{640}")
        raise ValueError(f"{where}a number has too many digits") from error


def read_json(path: pathlib.Path) -> Any:
    """Returns what a file of JSON says.

    Args:
        path: path of the file.

    Raises:
        ValueError: as `parse_json`.
        OSError: if it cannot be read, or is no file.
    """
    check_regular(path)
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


def _check_values(text):
    """Counts values before they are made: one takes dozens of its own bytes."""
    if sum(text.count(sign) for sign in ",[{") > MOST_VALUES:
        raise ValueError(f"it has more than {MOST_VALUES:,} values")


def _table(pairs):
    """Returns a table; two readers of a name that is there twice may differ."""
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in table if names.count(name) > 1)
        raise _RefusedError(f"`{ascii(twice[:80])[1:-1]}` is there twice")
    return table


def _field_before(text, pattern):
    """Returns the name of the field whose value it is, if it is plain."""
    found = re.search(rf'"([\w ./-]{{1,80}})"\s*:\s*{pattern}', text)
    return "" if found is None else f"`{found[1]}`: "
