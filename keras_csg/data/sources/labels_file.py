"""Labels in a table beside the images, in the place of class folders."""

import csv
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_csg.data.listing import SPLITS
from keras_csg.data.sources.folder_boxes import plain_name
from keras_csg.data.sources.folder_layout import FolderLayout, FolderSplit
from keras_csg.data.sources.folder_walk import PassedOver, Walker
from keras_csg.data.sources.split_names import (
    as_on_disk,
    composed,
    split_of,
)
from keras_csg.data.sources.tables import delimiter_of, read_text, rows_of
from keras_csg.untrusted.json_text import parse_json

# The first is what we call it; the others are what people call it too.
COLUMNS = {
    "file": ("file", "file_name", "filename", "path", "image"),
    "label": ("label", "class", "class_name", "category"),
    "split": ("split", "subset", "set"),
    "group": ("group", "patient", "patient_id", "camera"),
}


def read_labels(path: Path, folder: Path) -> FolderLayout:
    """Reads which images of a folder are of which class.

    Args:
        path: Path of a CSV file with a row for each image, or of a `.jsonl`
            file with a JSON object for each: `file`, the image's path from the
            folder; `label`; and, if there, `split` and `group`. Images of one
            group, such as a patient or a burst, go to one split.
        folder: Path of the images.

    Returns:
        `FolderLayout`, with `groups`.

    Raises:
        ValueError: if the file cannot be read or lacks a column, an image has
            two labels, or there are not two classes, naming file and line.
    """
    rows: dict[str, dict[str, str]] = {}
    unlabelled = set()
    passed_over = PassedOver()
    for place, row, whole in table_rows(path):
        if isinstance(odd := whole.get("label"), list | dict):
            raise ValueError(
                f"{place} must have one text as its label. Received: {odd!r}"
            )
        name = plain_name(row["file"], folder)
        if not row["file"]:
            passed_over.add(place.rpartition(", ")[2], "rows without a file")
        elif not row["label"]:
            passed_over.add(name, "images without a label")
            unlabelled.add(name)
        elif not as_on_disk(folder / name).is_file():
            passed_over.add(
                name, f"rows of {path.name} whose file is not there"
            )
        else:
            row["split"] = split_in(row, place)
            check_agree(rows.setdefault(name, row), row, name, place)
    names = sorted({row["label"] for row in rows.values()})
    if not rows and passed_over.counts:
        raise ValueError(
            f"{path} must name images as they are called from {folder}. "
            f"Received: {'; '.join(passed_over.lines(folder))}"
        )
    layout = layout_of(
        path,
        folder,
        rows,
        names,
        lambda own: np.array([names.index(row["label"]) for row in own]),
    )
    notes = _about_others(path, folder, rows.keys() | unlabelled)
    return dataclasses.replace(layout, passed_over=passed_over, notes=notes)


def layout_of(
    path: Path,
    folder: Path,
    rows: dict[str, dict[str, str]],
    names: list[str],
    labels_of: Callable[[list[dict[str, str]]], np.ndarray],
) -> FolderLayout:
    """Returns what a table says of a folder of images.

    Args:
        path: Path of the table.
        folder: Path of the images.
        rows: dict from an image's path from the folder to its `split` and, if
            there, `group`, with what `labels_of` reads.
        names: list of str. The classes.
        labels_of: callable from some of the rows to their labels.

    Raises:
        ValueError: if there are not two classes, no images to train on, or a
            group is in two splits.
    """
    _check_groups(rows, path)
    if len(names) < 2:
        raise ValueError(
            f"{path} must have labels of two or more classes for images in "
            f"{folder}. Received: {', '.join(names) or 'none'}"
        )
    found: dict[str, list[str]] = {}
    for name, row in rows.items():
        found.setdefault(row["split"], []).append(name)
    splits = {
        split: FolderSplit(
            [str(as_on_disk(folder / name)) for name in found[split]],
            labels_of([rows[name] for name in found[split]]),
        )
        for split in SPLITS
        if split in found
    }
    if "train" not in splits:
        raise ValueError(f"{path} has no images to train on.")
    if "test" not in splits and "validation" in splits:
        splits["test"] = splits.pop("validation")
    groups = {n: row["group"] for n, row in rows.items() if row.get("group")}
    notes = _about_others(path, folder, rows.keys())
    return FolderLayout(names, splits, PassedOver(), notes, groups, table=True)


def _about_others(path, folder, named):
    """Returns a line on images of the folder that have no row."""
    images = Walker(PassedOver()).images(folder)
    others = [
        name
        for file in images
        if (name := composed(os.path.relpath(file, folder))) not in named
    ]
    if not others:
        return []
    return [
        f"{len(others):,} images in {folder} have no row in {path.name} and "
        f"are not read, such as {others[0]}."
    ]


def check_agree(
    first: dict[str, str], row: dict[str, str], name: str, place: str
) -> None:
    """Refuses a second row of an image that says something else.

    Args:
        first: its first row.
        row: another.
        name: str. The image's path from the folder.
        place: str. The other's line.

    Raises:
        ValueError: naming line and image.
    """
    for column in ("label", "split", "group"):
        if first.get(column) != row.get(column):
            raise ValueError(f"{place} gives {name} a second {column}.")


def _check_groups(rows, path):
    """Refuses a group that is in two splits: it is to be on one side."""
    split_of_group: dict[str, str] = {}
    for row in rows.values():
        group = row.get("group")
        if (
            group
            and split_of_group.setdefault(group, row["split"]) != row["split"]
        ):
            raise ValueError(
                f"{path} must have all images of a group in one split. "
                f"Received: group {group!r} in {split_of_group[group]} and "
                f"{row['split']}"
            )


def table_rows(
    path: Path, needed: Sequence[str] = ("file", "label")
) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    """Yields the rows of a table.

    Args:
        path: Path of a `.jsonl` file, or of one with columns.
        needed: columns that must be there.

    Yields:
        The place of each, for errors; its columns under our names; and all of
        it as it is.

    Raises:
        ValueError: if the file cannot be read or lacks a column, naming file
            and line.
    """
    if path.suffix == ".jsonl":
        lines = enumerate(read_text(path).splitlines(), start=1)
        table = [(n, _parsed(path, n, line)) for n, line in lines if line]
        for number, row in table:
            _check_columns(row, needed, f"{path}, line {number}", "have")
    else:
        text = read_text(path).splitlines()
        if path.suffix == ".json" or not text:
            raise ValueError(
                f"{path} must be a CSV file, or JSON Lines called .jsonl, with "
                "a line for each image."
            )
        reader = csv.DictReader(text, delimiter=delimiter_of(text), strict=True)
        table = [(reader.line_num, row) for row in rows_of(reader, path)]
        names = reader.fieldnames or ()
        if twice := sorted({n for n in names if n and names.count(n) > 1}):
            raise ValueError(
                f"{path}, line 1, must name each column once. "
                f"Received: {', '.join(twice)} twice"
            )
        _check_columns(names, needed, f"{path}, line 1,", "name columns for")
    for number, row in table:
        known = {
            _column(k): "" if v is None else text_of(v) for k, v in row.items()
        }
        found = {
            ours: known[name]
            for ours, names in COLUMNS.items()
            for name in reversed(names)
            if name in known
        }
        yield f"{path}, line {number}", found, row


def _column(name):
    return str(name).strip().lower()


def _check_columns(names, needed, place, what):
    """Refuses a line without what names a file and its label."""
    known = [_column(name) for name in names]
    missing = [ours for ours in needed if not {*COLUMNS[ours]} & {*known}]
    if missing:
        raise ValueError(
            f"{place} must {what} a {' and a '.join(missing)}. Received: "
            f"{', '.join(known) or 'nothing'}"
        )


def text_of(value: Any) -> str:
    """Returns what a table has in one place, as text."""
    return composed(str(value).strip())


def _parsed(path, number, line):
    try:
        row = parse_json(line, limited=False)
    except ValueError as error:
        raise ValueError(f"{path}, line {number}: {error}") from error
    if not isinstance(row, dict):
        raise ValueError(f"{path}, line {number} must be a JSON object.")
    return row


def split_in(row: dict[str, str], place: str) -> str:
    """Returns the split that a row names; without any it is `train`.

    Args:
        row: its columns under our names.
        place: str. The row's line.

    Raises:
        ValueError: if it is none of the three.
    """
    name = row.get("split", "")
    split = split_of(name) if name else "train"
    if split is None:
        raise ValueError(
            f"{place} must call splits train, validation or test. "
            f"Received: {name!r}"
        )
    return split
