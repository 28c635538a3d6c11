"""What a run was trained with, to compare with what people can edit."""

import dataclasses
import pathlib
from typing import Any

from keras_csg.training.checksums import Checksums
from keras_csg.untrusted.json_text import parse_json

NAME = "record.json"


@dataclasses.dataclass(frozen=True)
class Record:
    """What `record.json` holds.

    Attributes:
        options: dict of the options, as `config.json` had them.
        rows: list of the rows of `history.csv` of a finished run.
    """

    options: dict[str, Any]
    rows: list[dict[str, str]] = dataclasses.field(default_factory=list)

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
        values = parse_json(content)
        return Record(dict(values["options"]), _rows(values["rows"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged: {error!r}. Take it from a copy of the run."
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
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}. {way_out}") from error


def _rows(values):
    return [{str(k): str(v) for k, v in row.items()} for row in values]
