import csv
import io
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

from keras_csg.files import whole_file


class History:
    """The table of a run's epochs, kept as a CSV file that is always whole.

    Args:
        path: `pathlib.Path` of the file.
        rows: list of dicts, in the place of those in the file, which is not
            read then.

    Attributes:
        rows: list of dicts from a column's name to the text of its cell.

    Raises:
        ValueError: if the file is damaged, saying how.
    """

    def __init__(
        self,
        path: pathlib.Path,
        rows: Iterable[Mapping[str, Any]] | None = None,
    ):
        self.path = path
        self.rows: list[dict[str, str]] = []
        if rows is not None:
            self.rows = [_texts(row) for row in rows]
        elif path.exists():
            self.rows = _read(path)

    def add(self, row: Mapping[str, Any]) -> None:
        """Adds a row, a dict; the file stays as it is."""
        self.rows.append(_texts(row))

    def append(self, row: Mapping[str, Any]) -> None:
        """Adds a row, a dict, and writes the file."""
        self.add(row)
        self.write()

    def keep(self, epochs: int) -> None:
        """Forgets the rows after the first `epochs`."""
        if len(self.rows) > epochs:
            self.rows = self.rows[:epochs]
            self.write()

    def take(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Has other rows from now on, which are written."""
        self.rows = [_texts(row) for row in rows]
        self.write()

    def column(self, name: str) -> list[float]:
        """Returns a column as floats, NaN where a row has no value."""
        return [float(row.get(name) or "nan") for row in self.rows]

    def columns(self) -> dict[str, list[float]]:
        """Returns all columns by their names, as `column` does each."""
        names = dict.fromkeys(key for row in self.rows for key in row)
        return {name: self.column(name) for name in names}

    def write(self) -> None:
        """Writes the file."""
        with whole_file(self.path) as part:
            part.write_bytes(self._content(self.rows))

    def is_in_file(self) -> bool:
        """Whether the file holds these rows, to the byte."""
        try:
            return self.path.read_bytes() == self._content(self.rows)
        except OSError:
            return False

    def follows(self) -> bool:
        """Whether the file is what a training leaves that is killed.

        That has written all of these rows but the last, or more.
        """
        if len(self.rows) <= 1 and not self.path.exists():
            return True
        try:
            found = [_filled(row) for row in _read(self.path)]
        except (OSError, ValueError):
            return False
        rows = [_filled(row) for row in self.rows]
        return found == rows[:-1] or found[: len(rows)] == rows

    def _content(self, rows):
        names = list(dict.fromkeys(key for row in rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()


def _texts(row):
    """Returns a row as it is read again."""
    return {
        str(name): "" if value is None else str(value)
        for name, value in row.items()
    }


def _filled(row):
    return {name: text for name, text in row.items() if text}


def _read(path):
    """Returns the rows of a file.

    Raises:
        ValueError: if it is damaged.
    """
    try:
        # A byte-order mark is what spreadsheets put there.
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not text:
        raise ValueError(f"{path} is damaged: it is empty")
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise ValueError(
                f"{path} is damaged: row {number} has not as many cells as "
                "there are columns"
            )
        for name, cell in row.items():
            _check_number(path, number, name, cell)
    return rows


def _check_number(path, number, name, cell):
    try:
        float(cell or "nan")
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged: row {number} has {cell[:40]!r} as {name[:40]}"
        ) from error
