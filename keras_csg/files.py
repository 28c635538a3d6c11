"""Files that appear under their final name only when they are whole."""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def whole_file(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Gives a path to write to that becomes `path` at the end.

    It lies in the same folder and has the same suffix, which some writers go
    by. If the body raises, it is removed and `path` stays as it was.
    """
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield part
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: pathlib.Path, value) -> None:
    """Writes `value` as indented JSON."""
    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=2) + "\n")
