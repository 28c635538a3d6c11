"""Tables that people write, and what is wrong in them by file and line."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_csg.files import cannot_read, check_regular


def read_text(path: Path) -> str:
    """Returns the text of a file, without the mark of a spreadsheet.

    Raises:
        ValueError: if it cannot be read as UTF-8, naming the file.
    """
    try:
        check_regular(path)
        # A spreadsheet puts a mark before the first byte.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(cannot_read(path, error)) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"Cannot read {path} as UTF-8: {error}") from error


def delimiter_of(lines: Sequence[str]) -> str:
    """Returns what parts the columns: spreadsheets write others, too.

    Args:
        lines: list of str. The first names the columns.
    """
    head = lines[0] if lines else ""
    return max(",;\t", key=head.count)


def rows_of(reader: csv.DictReader, path: Path) -> Iterator[dict]:
    """Yields the rows of a table.

    Raises:
        ValueError: if it is broken, such as by a quote that is not closed,
            naming file and line.
    """
    rows = iter(reader)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {reader.line_num + 1}: {error}; is a quote not "
                "closed?"
            ) from error
        yield row
