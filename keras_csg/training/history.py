import csv
import io
import pathlib
from typing import Any

from keras_csg.files import whole_file


class History:
    """The table of a run's epochs, kept as a CSV file that is always whole.

    Args:
        path: `pathlib.Path` of the file.
    """

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.rows = []
        if path.exists():
            with path.open(newline="") as stream:
                self.rows = list(csv.DictReader(stream))

    def append(self, row: dict[str, Any]) -> None:
        """Adds a row, a dict, and writes the file."""
        self.rows.append(row)
        self._write()

    def keep(self, epochs: int) -> None:
        """Forgets the rows after the first `epochs`."""
        if len(self.rows) > epochs:
            self.rows = self.rows[:epochs]
            self._write()

    def column(self, name: str) -> list[float]:
        """Returns a column as floats, NaN where a row has no value."""
        return [float(row.get(name) or "nan") for row in self.rows]

    def columns(self) -> dict[str, list[float]]:
        """Returns all columns by their names, as `column` does each."""
        return {name: self.column(name) for name in self._names()}

    def _names(self):
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def _write(self):
        text = io.StringIO()
        writer = csv.DictWriter(text, self._names(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        with whole_file(self.path) as part:
            part.write_text(text.getvalue())
