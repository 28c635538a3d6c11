"""What a run was trained with, to compare with what people can edit."""

import dataclasses
import pathlib
from typing import Any

from keras_csg.training.checksums import Checksums
from keras_csg.untrusted.fields import (
    anything,
    check_fields,
    list_of,
    optional,
    required,
    table_of,
    text,
)
from keras_csg.untrusted.json_text import parse_json

NAME = "record.json"
ROWS = list_of(table_of(text))
"""Of the history, one for each epoch."""


@dataclasses.dataclass(frozen=True)
class Record:
    """What `record.json` holds.

    Attributes:
        options: dict of the options, as `config.json` had them.
        rows: list of the rows of `history.csv` of a finished run.
    """

    options: dict[str, Any] = required(table_of(anything))
    rows: list[dict[str, str]] = optional(ROWS, factory=list)

    def write(self, checksums: Checksums) -> None:
        """Writes it into a run.

        Args:
            checksums: `Checksums` of the run.
        """
        path = checksums.folder / NAME
        checksums.write_json(path, dataclasses.asdict(self))


def read_record(checksums: Checksums) -> Record | None:
    """Returns what a run was trained with; `None` of a run of before.

    Args:
        checksums: `Checksums` of the run.

    Raises:
        ValueError: if the file is damaged.
    """
    path = checksums.folder / NAME
    if not path.exists():
        return None
    content = checksums.read(path)
    try:
        return Record(**check_fields(Record, parse_json(content)))
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged: {error}. Take it from a copy of the run."
        ) from error


def read_json(checksums: Checksums, path: pathlib.Path, way_out: str) -> Any:
    """Reads a JSON file of a run, if it is what was written.

    Args:
        checksums: `Checksums` of the run.
        path: path of the file.
        way_out: str. What to do if it is damaged.

    Raises:
        ValueError: if it is damaged.
    """
    try:
        content = checksums.read(path)
    except ValueError as error:
        raise ValueError(f"{error} {way_out}") from error
    try:
        return parse_json(content)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}. {way_out}") from error
