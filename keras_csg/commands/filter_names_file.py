"""A file of a person's names for filters."""

import csv
import io
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from keras_csg.files import cannot_read, check_regular
from keras_csg.models.filter_names import checked_name, filter_number
from keras_csg.untrusted.json_text import parse_json

COLUMNS = ("filter", "name")
HINT = (
    'such as `filter,name` and `12,striped flank`, or {"12": "striped flank"}'
)


def read_filter_names(
    names: str | os.PathLike | Mapping[Any, Any], filters: int
) -> dict[int, str]:
    """Returns names of filters that a file, or a dict, has.

    Args:
        names: path of a CSV file with the columns `filter` and `name`, others
            are passed over; or of a JSON file with an object from number to
            name; or a dict.
        filters: int. Number of filters.

    Returns:
        A dict from the number to the name, `""` to take it away.

    Raises:
        ValueError: if the file cannot be read, a filter does not exist or is
            there twice, or a name is no text of one line.
    """
    if isinstance(names, Mapping):
        pairs, where = list(names.items()), "`names`"
    else:
        pairs, where = _pairs_in(pathlib.Path(names)), os.fspath(names)
    found: dict[int, str] = {}
    for given, name in pairs:
        try:
            number = filter_number(given, filters)
            if name is not None and str(name).strip():
                name = checked_name(number, name)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if number in found:
            raise ValueError(f"{where} names filter {number} more than once.")
        found[number] = name if name and name.strip() else ""
    return found


def with_changes(
    known: Mapping[int, str], changes: Mapping[int, str]
) -> dict[int, str]:
    """Returns names with others added, changed or, where empty, taken away.

    Args:
        known: dict from a filter's number to its name.
        changes: see `read_filter_names`.
    """
    merged = {**known, **changes}
    return {
        number: merged[number] for number in sorted(merged) if merged[number]
    }


def _pairs_in(path):
    try:
        check_regular(path)
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ValueError(cannot_read(path, error)) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"Cannot read {path}: it is no UTF-8 text.") from error
    if path.suffix.lower() == ".json":
        return _pairs_of_json(path, text)
    if path.suffix.lower() == ".csv":
        return _pairs_of_csv(path, text)
    raise ValueError(
        f"Names are read from a .csv or .json file. Received: {path}"
    )


def _pairs_of_json(path, text):
    try:
        pairs = parse_json(text, pairs=True)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}.") from error
    right = isinstance(pairs, list) and text.lstrip().startswith("{")
    if not right:
        raise ValueError(f"{path} must hold an object {HINT}.")
    return pairs


def _pairs_of_csv(path, text):
    head = text.partition("\n")[0]
    # As spreadsheets write it where a comma parts decimals.
    separator = ";" if ";" in head and "," not in head else ","
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        missing = set(COLUMNS) - set(rows.fieldnames or ())
        if missing:
            raise ValueError(
                f"{path} must have the columns filter and name, {HINT}. "
                f"Received: {', '.join(rows.fieldnames or ()) or 'nothing'}"
            )
        return [
            ((row["filter"] or "").strip(), row["name"] or "") for row in rows
        ]
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV: {error}.") from error
