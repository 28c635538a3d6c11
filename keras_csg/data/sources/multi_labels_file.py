"""Several labels of each image, in a table beside the images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_csg.data.label_sets import NONE, SEPARATORS, joined
from keras_csg.data.sources.class_choice import names_of, new_names
from keras_csg.data.sources.folder_boxes import plain_name
from keras_csg.data.sources.folder_layout import FolderLayout
from keras_csg.data.sources.labels_file import (
    COLUMNS,
    check_agree,
    layout_of,
    split_in,
    table_rows,
    text_of,
)
from keras_csg.data.sources.request import Request
from keras_csg.data.sources.split_hints import some_of
from keras_csg.data.sources.split_names import as_on_disk

TRUTH = {
    "0": False,
    "0.0": False,
    "false": False,
    "1": True,
    "1.0": True,
    "true": True,
}
"""What a class's own column may have."""


def read_multi_labels(
    path: Path, folder: Path, request: Request
) -> FolderLayout:
    """Reads which images of a folder are of which classes.

    As `read_labels`, but that `label` has all classes of an image, `cat|dog`
    (or a list in a `.jsonl` file), and `-` for none; or, without a column of
    that name, every other column is a class with 0 or 1. What is wrong in a row
    is not passed over: half of an image's labels may hang on it.

    Args:
        path: Path of a CSV file, or of a `.jsonl` file.
        folder: Path of the images.
        request: `Request`. Its `classes` are all that a `label` may name; of
            columns, those that are classes.

    Returns:
        `FolderLayout`, whose labels are zeros and ones `(images, classes)`.

    Raises:
        ValueError: if the file cannot be read, or a row names no file that is
            there, a class that is not known or one twice, or no class and
            does not say so, naming file and line.
    """
    rows: dict[str, dict[str, str]] = {}
    sets: dict[str, list[str]] = {}  # By what the table has in `label`.
    places: dict[str, str] = {}  # Where each class is named first.
    columns: list[str] = []
    for place, row, whole in table_rows(path, needed=("file",)):
        if "label" in row:
            own = _named(place, row, whole)
        else:
            columns = columns or _class_columns(whole, request)
            own = _ticked(place, whole, columns)
        name = _file(place, row, folder)
        row["label"] = joined(own)
        row["split"] = split_in(row, place)
        check_agree(rows.setdefault(name, row), row, name, place)
        sets[row["label"]] = own
        for class_name in own:
            places.setdefault(class_name, place)
    names = columns or sorted(places)
    if not columns:  # Others than `classes` names are none.
        _check_known(places, request)

    def labels_of(some):
        return np.array(
            [np.isin(names, sets[row["label"]]) for row in some], "uint8"
        )

    return layout_of(path, folder, rows, names, labels_of)


def _named(place, row, whole) -> list[str]:
    """Returns the classes that a row names, in order."""
    text = row["label"]
    given: Any = next(
        (whole[k] for k in whole if text_of(k).lower() in COLUMNS["label"]),
        text,
    )
    if given == []:
        return []
    if isinstance(given, list):
        names = [text_of(name) for name in given]
        text = joined(names)
    else:
        mark = next((mark for mark in SEPARATORS if mark in text), None)
        names = [text_of(name) for name in text.split(mark)] if text else []
    if not names:
        raise ValueError(
            f"{place} must name the classes of {row['file']!r}, such as "
            f"'cat{SEPARATORS[0]}dog', or {NONE!r} for none. Received: "
            f"{text!r}"
        )
    if names == [NONE]:
        return []
    if not all(names) or NONE in names or len(set(names)) < len(names):
        raise ValueError(
            f"{place} must name each class of an image, once. "
            f"Received: {text!r}"
        )
    return sorted(names)


def _class_columns(row, request) -> list[str]:
    """Returns the columns that are classes, as the table calls them."""
    ours = {name for names in COLUMNS.values() for name in names}
    names = [k for k in row if k is not None and text_of(k).lower() not in ours]
    chosen = names_of(request.classes)
    if chosen is None:
        return [text_of(name) for name in names]
    changed = new_names([text_of(name) for name in names], request)
    found = [text_of(name) for name in names]
    known = {changed.get(name, name) for name in found}
    if odd := [name for name in chosen if name not in known]:
        raise ValueError(
            "`classes` must name columns of the table of labels, which has "
            f"{some_of(found)}. Received: {', '.join(odd)}"
        )
    return [name for name in found if changed.get(name, name) in chosen]


def _ticked(place, row, columns: Sequence[str]) -> list[str]:
    """Returns the classes whose columns have a 1."""
    values = {text_of(k): text_of(v).lower() for k, v in row.items()}
    for name in columns:
        if values.get(name) not in TRUTH:
            raise ValueError(
                f"{place} must have 0 or 1 in the column {name!r}; `classes` "
                "says which columns are classes. "
                f"Received: {values.get(name, '')!r}"
            )
    return [name for name in columns if TRUTH[values[name]]]


def _file(place, row, folder):
    """Returns the path from the folder of the image that a row names."""
    name = plain_name(row["file"], folder) if row["file"] else ""
    if not name or not as_on_disk(folder / name).is_file():
        raise ValueError(
            f"{place} must name a file in {folder}. Received: {row['file']!r}"
        )
    return name


def _check_known(places, request):
    """Refuses a class that `classes` does not name."""
    known = names_of(request.classes)
    if known is None:
        return
    changed = new_names(sorted(places), request)
    for name, place in places.items():
        if changed.get(name, name) not in known:
            raise ValueError(
                f"{place} must name classes out of {some_of(known)}. "
                f"Received: {name!r}"
            )
