"""Boxes of the objects in a folder of images, in the files people have."""

import csv
import dataclasses
import math
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from keras_csg.data.sources.folder_walk import is_litter
from keras_csg.data.sources.split_hints import YOLO
from keras_csg.data.sources.split_names import composed
from keras_csg.data.sources.tables import delimiter_of, read_text, rows_of
from keras_csg.untrusted.json_text import parse_json

BOXES = "boxes.csv"
COCO = ("annotations.json", "_annotations.coco.json", "instances.json")
SLACK = 1e-3
"""By how much what is rounded may leave an image."""
_SIDES = ("x0", "y0", "x1", "y1")


@dataclasses.dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        image: str. Path of the image from the folder, with slashes.
        corners: tuple `(x0, y0, x1, y1)`, in pixels or, if none of a file's is
            above 1, as shares of the image's width and height.
        place: str. Where it stands, for a message.
    """

    image: str
    corners: tuple[float, float, float, float]
    place: str


def has_boxes(folder: Path) -> bool:
    """Whether one of the files is there."""
    return (
        (folder / BOXES).is_file()
        or (folder / YOLO).is_dir()
        or bool(_coco_files(folder))
    )


def read_boxes(folder: Path, images: Sequence[str], part: str) -> list[Box]:
    """Reads the boxes of a folder of images.

    From `boxes.csv`, else a COCO file (`annotations.json`,
    `_annotations.coco.json`, `instances.json`) or one in each split's folder,
    else a folder `labels` of YOLO's text files, one for each image.

    Args:
        folder: Path of the data.
        images: list of str. The images' paths from it.
        part: str. `"object"` or, of `boxes.csv`, another part.

    Returns:
        A list of `Box`, several for an image with several objects.

    Raises:
        ValueError: if the file cannot be read, a box is broken, or the part is
            not in it, naming file and line.
    """
    if (folder / BOXES).is_file():
        return [*_from_csv(folder / BOXES, folder, part)]
    if part != "object":
        raise ValueError(
            f"Only {BOXES} knows parts of objects. Received: part={part!r}"
        )
    if coco := _coco_files(folder):
        return [box for path in coco for box in _from_coco(path, folder)]
    return [*_from_yolo(folder, images)]


def are_shares(boxes: Sequence[Box]) -> bool:
    """Whether boxes are shares of the image: none reaches beyond 1."""
    return all(max(box.corners) <= 1 for box in boxes)


def plain_name(name: str, folder: Path) -> str:
    """Returns an image's path from the folder, however it was written.

    With backslashes, `./` before it, or as an absolute path.
    """
    path = PurePosixPath(posixpath.normpath(name.strip().replace("\\", "/")))
    root = PurePosixPath(folder.absolute().as_posix())
    if path.is_relative_to(root):
        path = path.relative_to(root)
    return composed(path.as_posix())


def _coco_files(folder):
    """Returns the COCO file of a folder, or those of the folders in it."""
    for pattern in ("", "*/"):
        for name in COCO:
            if found := sorted(folder.glob(pattern + name)):
                return found
    return []


def _from_csv(path, folder, part) -> Iterator[Box]:
    prefix = "box" if part == "object" else part
    columns = [f"{prefix}_{side}" for side in _SIDES]
    text = read_text(path).splitlines()
    reader = csv.DictReader(text, delimiter=delimiter_of(text), strict=True)
    found = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = found
    missing = [name for name in ["file", *columns] if name not in found]
    if missing:
        raise ValueError(
            f"{path} must have the columns {', '.join(columns)} and file "
            f"for part={part!r}. Received: {', '.join(found) or 'nothing'}"
        )
    for row in rows_of(reader, path):
        place = f"{path}, line {reader.line_num}"
        corners = [row[name] for name in columns]
        if any(corners):
            if not row["file"]:
                raise ValueError(f"{place} has a box and no file.")
            yield _box(plain_name(row["file"], folder), corners, place)


def _from_coco(path, folder) -> Iterator[Box]:
    try:
        table = parse_json(read_text(path), limited=False)
    except ValueError as error:
        raise ValueError(f"{path} is no COCO file of boxes: {error}") from error
    try:
        names = {}
        for number, image in enumerate(table["images"]):
            if not isinstance(image, dict) or not {"id", "file_name"} <= {
                *image
            }:
                raise ValueError(
                    f"{path}, image {number} must have an id and a file_name."
                )
            names[image["id"]] = str(image["file_name"])
        entries = [*table["annotations"]]
        for number, entry in enumerate(entries):
            place = f"{path}, annotation {number}"
            if not isinstance(entry, dict) or "image_id" not in entry:
                raise ValueError(f"{place} has no image_id.")
            name = names.get(entry["image_id"])
            if name is None:
                raise ValueError(
                    f"{place} is of an image that is not in the file: "
                    f"image_id {entry['image_id']}"
                )
            box = entry.get("bbox")
            if not box:  # Such as of a crowd, or of keypoints alone.
                continue
            corners = _coco_corners(box, place)
            yield _box(_beside(path, name, folder), corners, place)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no COCO file of boxes: {type(error).__name__} {error}"
        ) from error


def _beside(path, name, folder):
    """Returns an image's path from the folder, of its name from a file's."""
    inner = path.parent.relative_to(folder).as_posix()
    name = plain_name(name, path.parent)
    return name if inner == "." else f"{composed(inner)}/{name}"


def _coco_corners(box, place):
    try:
        x, y, width, height = map(float, box)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{place} must have a bbox of x, y, width and height. "
            f"Received: {box!r}"
        ) from error
    return x, y, x + width, y + height


def _from_yolo(folder, images) -> Iterator[Box]:
    known = {PurePosixPath(image).with_suffix(""): image for image in images}
    for path in sorted((folder / YOLO).rglob("*.txt")):
        name = composed(path.relative_to(folder / YOLO).as_posix())
        if name == "classes.txt" or is_litter(path.name):
            continue
        # Of no image: told of by its own name.
        image = known.get(PurePosixPath(name).with_suffix(""), name)
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            place = f"{path}, line {number}"
            words = line.split()
            if not words:
                continue
            yield _box(image, _yolo_corners(words[1:], place), place)


def _yolo_corners(words, place):
    """Returns the corners of a box, or of a polygon's extent, as shares."""
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise ValueError(f"{place} has a broken box.") from error
    if len(values) == 4:
        if min(values[2:]) < 0:
            raise ValueError(f"{place} has a box of negative size.")
        x, y, width, height = values
        xs, ys = (
            (x - width / 2, x + width / 2),
            (y - height / 2, y + height / 2),
        )
    elif len(values) >= 6 and len(values) % 2 == 0:
        xs, ys = tuple(values[::2]), tuple(values[1::2])
    else:
        raise ValueError(
            f"{place} must be a class and x, y, width and height, or a class "
            f"and the points of a polygon. Received: {len(values)} numbers"
        )
    corners = (min(xs), min(ys), max(xs), max(ys))
    if max(corners) > 1 + SLACK or min(corners) < -SLACK:
        raise ValueError(
            f"{place} must have shares of the image's sides, in 0..1. "
            f"Received: {' '.join(words)}"
        )
    return tuple(min(max(side, 0.0), 1.0) for side in corners)


def _box(image, corners, place):
    try:
        x0, y0, x1, y1 = map(float, corners)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place} has a broken box: {error}") from error
    finite = all(map(math.isfinite, (x0, y0, x1, y1)))
    if not (finite and x0 <= x1 and y0 <= y1):
        raise ValueError(
            f"{place} has a broken box: {x0:g}, {y0:g} to {x1:g}, {y1:g}"
        )
    return Box(image, (x0, y0, x1, y1), place)
