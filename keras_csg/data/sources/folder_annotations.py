"""Where the objects are in a folder of images: boxes.csv or mask files."""

import csv
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from keras_csg.data.boxes import box_masks, cover_pixels, fit_boxes
from keras_csg.data.image_files import in_threads, probe_size
from keras_csg.data.sources.folder_layout import MASKS

BOXES = "boxes.csv"
_SIDES = ("x0", "y0", "x1", "y1")


class FolderMasks:
    """The object's pixels in the images of a folder.

    Either from `boxes.csv`, in the folder of the data: a column `file`, the
    path of an image from that folder, and for each part four columns such as
    `head_x0, head_y0, head_x1, head_y1`, in pixels of the image as a viewer
    shows it; those of the object are called `box_x0` and so on. Empty where it
    is not annotated.

    Or from mask files: `<masks>/<path of the image>.png`, with the image's own
    suffix replaced, in which anything but black is the object. They may lie in
    `masks` beside the classes: it is no class where it holds folders of theirs.

    Args:
        folder: path of the data.
        paths: list of str. The image files.
        size: tuple `(height, width)` that the loader gives the images.
        part: str. `"object"` or another part that `boxes.csv` has.
        masks: path of the folder of mask files; `None` for `boxes.csv` if
            there is one, else `masks` in the folder of the data.

    Attributes:
        annotated: bool array of shape `(files,)`.

    Raises:
        ValueError: if the annotations cannot be read or lack the part.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        paths: list[str],
        size: tuple[int, int],
        part: str = "object",
        masks: str | os.PathLike | None = None,
    ):
        self.size = size
        folder = Path(folder).expanduser()
        self._files: list[Path] | None = None
        names = [Path(path).relative_to(folder).as_posix() for path in paths]
        if masks is None and (folder / BOXES).is_file():
            boxes = _read_boxes(folder / BOXES, part)
            self._boxes = _fitted(boxes, names, paths, size)
            self.annotated = cover_pixels(self._boxes)
            return
        self._files = _mask_files(folder, names, part, masks)
        self.annotated = np.array([file.is_file() for file in self._files])

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the masks of some files, bool `(n, height, width)`."""
        if self._files is None:
            return box_masks(self._boxes[numbers], self.size)
        files = [self._files[number] for number in numbers]
        return np.stack(in_threads(self._read_mask, files))

    def _read_mask(self, file):
        try:
            with Image.open(file) as image:
                grey = ImageOps.exif_transpose(image).convert("L")
        except Exception as error:  # Pillow raises many kinds.
            raise ValueError(f"Cannot read the mask {file}: {error}") from error
        size = self.size[::-1]
        fitted = ImageOps.fit(grey, size, Image.Resampling.NEAREST)
        return np.asarray(fitted) > 0


def has_annotations(folder: str | os.PathLike) -> bool:
    """Whether a folder of images says where the objects are."""
    folder = Path(folder).expanduser()
    return (folder / BOXES).is_file() or (folder / MASKS).is_dir()


def _read_boxes(path, part):
    """Returns a dict from a file's name to its box `(4,)`."""
    prefix = "box" if part == "object" else part
    columns = [f"{prefix}_{side}" for side in _SIDES]
    with path.open(newline="") as stream:
        reader = csv.DictReader(stream)
        found = reader.fieldnames or []
        missing = [name for name in ["file", *columns] if name not in found]
        if missing:
            raise ValueError(
                f"{path} must have the columns {', '.join(columns)} and file "
                f"for part={part!r}. Received: {', '.join(found) or 'nothing'}"
            )
        rows = [row for row in reader if row[columns[0]]]
    try:
        return {
            row["file"]: [float(row[name]) for name in columns] for row in rows
        }
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} has a broken box: {error}") from error


def _fitted(boxes, names, paths, size):
    """Returns boxes `(files, 4)` in the loader's pixels; zeros without one."""
    numbers = [i for i, name in enumerate(names) if name in boxes]
    fitted = np.zeros((len(names), 4))
    if numbers:
        own = [boxes[names[number]] for number in numbers]
        sizes = in_threads(probe_size, [paths[number] for number in numbers])
        fitted[numbers] = fit_boxes(own, sizes, size)
    return fitted


def _mask_files(folder, names, part, masks):
    root = folder / MASKS if masks is None else Path(masks).expanduser()
    if not root.is_dir():
        raise ValueError(
            f"`masks` must be a folder of mask files. Received: masks={root}"
        )
    if part != "object":
        raise ValueError(
            f"Mask files show the object alone. Received: part={part!r}"
        )
    return [(root / name).with_suffix(".png") for name in names]
