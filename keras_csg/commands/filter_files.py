import contextlib
import csv
import os
import pathlib
from collections.abc import Collection

from keras_csg.evaluation import FilterSurvey
from keras_csg.evaluation.filter_tables import survey_tables
from keras_csg.files import hidden_part, naming, new_folders, write_json
from keras_csg.printable import printable
from keras_csg.reports.filter_pages import GENERATOR, write_filter_pages

COLUMNS = (
    "filter",
    "name",
    "class",
    "gate",
    "purity",
    "information",
    "mean_activation",
    "recall",
    "recall_without",
    "recall_lost",
    "shared",
    "dead",
    "serves",
    "duplicates",
    "images",
)
"""Columns of `filters.csv`, which `names` can be read from again."""


def write_filter_files(
    survey: FilterSurvey,
    folder: pathlib.Path,
    about: dict[str, str],
    shown: Collection[int] | None,
    multi_label: bool,
) -> None:
    """Writes the pages and tables of a survey.

    All are written aside first, so that none of them is there if one cannot
    be. Pages of classes that an earlier survey left are removed.

    Args:
        survey: `FilterSurvey`.
        folder: `pathlib.Path`.
        about: dict with the names of `run`, `data` and `split`.
        shown: numbers of the filters to show; `None` for all.
        multi_label: bool. Whether an image may have several classes.

    Raises:
        OSError: if they cannot be written, naming the folder.
    """
    tables = {**about, **survey_tables(survey, shown)}
    pages_path = folder / "pages"
    with contextlib.ExitStack() as stack:
        stack.enter_context(new_folders(folder))
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(naming(pages_path, folder))
        part = stack.enter_context(hidden_part(pages_path))
        part.mkdir()
        pages = write_filter_pages(
            survey, part, **about, multi_label=multi_label, filters=shown
        )
        _write_csv(part / "filters.csv", tables["filters"])
        write_json(part / "filters.json", tables)
        for name in ("filters.csv", "filters.json", *pages):
            os.replace(part / name, folder / name)
    for path in folder.glob("class-*.html"):
        if path.name not in pages and _is_ours(path):
            path.unlink()


def _is_ours(path):
    """Whether a page of a class is one of another survey's."""
    with path.open(encoding="utf-8", errors="replace") as stream:
        return f'name="generator" content="{GENERATOR}"' in stream.read(1024)


def _write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(
            stream, COLUMNS, extrasaction="ignore", lineterminator="\r\n"
        )
        writer.writeheader()
        for row in rows:
            writer.writerow({k: _cell(k, value) for k, value in row.items()})


def _cell(key, value):
    if isinstance(value, list):
        value = "|".join(map(str, value))
    if isinstance(value, str):  # A name of a filter is read from it again.
        return value if key == "name" else printable(value)
    if isinstance(value, bool):
        return int(value)
    return f"{value:.6g}" if isinstance(value, float) else value
