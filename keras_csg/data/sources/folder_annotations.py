"""Where the objects are in a folder of images: boxes or mask files."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from keras_csg.data.boxes import box_masks, cover_pixels
from keras_csg.data.image_files import in_threads, open_image, probe_size
from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.sources.folder_boxes import (
    Box,
    are_shares,
    has_boxes,
    read_boxes,
)
from keras_csg.data.sources.split_hints import MASKS
from keras_csg.data.sources.split_names import as_on_disk, composed
from keras_csg.files import at_home


class FolderMasks:
    """The object's pixels in the images of a folder.

    Either from boxes: of `boxes.csv`, in the folder of the data: a column
    `file`, the path of an image from that folder, and for each part four
    columns such as `head_x0, head_y0, head_x1, head_y1`, in pixels of the image
    as a viewer shows it, or all as shares of its sides; those of the object are
    called `box_x0` and so on. Empty where it is not annotated; several rows for
    an image with several objects, of which the union counts. Or of a COCO file,
    or of YOLO's text files in `labels`; see `read_boxes`.

    Or from mask files: `<masks>/<path of the image>.png`, with the image's own
    suffix replaced, in which anything but black, or the first colour of a
    palette, is the object. They may lie in `masks` beside the classes: it is no
    class where it holds folders of theirs.

    Args:
        folder: path of the data.
        paths: list of str. The image files.
        size: tuple `(height, width)` that the loader gives the images.
        part: str. `"object"` or another part that `boxes.csv` has.
        masks: path of the folder of mask files; `None` for boxes if there are
            some, else `masks` in the folder of the data.
        reading: `ImageReading`. How the loader reads the images.
        known: list of str. All images of the data, from the folder: what is
            annotated beside them is counted. `None` for `paths`.
        log: callable that takes a line.

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
        *,
        reading: ImageReading = PLAIN,
        known: list[str] | None = None,
        log: Callable[[str], None] = lambda text: None,
    ):
        self.size = size
        self._reading = reading
        folder = at_home(folder)
        self._files: list[Path] | None = None
        names = [
            composed(Path(os.path.relpath(path, folder)).as_posix())
            for path in paths
        ]
        if masks is None and has_boxes(folder):
            boxes = read_boxes(folder, known or names, part)
            for line in _about(boxes, known or names, folder):
                log(line)
            self._owners, self._boxes, outside = _fitted(
                boxes, names, paths, size, reading
            )
            for line in _about_outside(outside):
                log(line)
            self.annotated = np.zeros(len(names), bool)
            self.annotated[self._owners[cover_pixels(self._boxes)]] = True
            return
        self._files = _mask_files(folder, names, part, masks)
        self.annotated = np.array([file.is_file() for file in self._files])

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the masks of some files, bool `(n, height, width)`."""
        if self._files is not None:
            files = [self._files[number] for number in numbers]
            return np.stack(in_threads(self._read_mask, files))
        masks = np.zeros((len(numbers), *self.size), bool)
        for place, number in enumerate(numbers):
            own = self._boxes[self._owners == number]
            masks[place] = box_masks(own, self.size).any(axis=0)
        return masks

    def _read_mask(self, file):
        try:
            with open_image(file, self._reading.max_pixels) as image:
                mask = ImageOps.exif_transpose(image)
                # A palette's numbers are the classes, whatever their colours.
                if mask.mode != "P":
                    mask = _covered(mask)
                fitted = self._reading.fit(
                    mask, self.size, Image.Resampling.NEAREST
                )
        except Exception as error:  # Pillow raises many kinds.
            raise ValueError(f"Cannot read the mask {file}: {error}") from error
        return np.asarray(fitted) > 0


def _covered(mask):
    """Returns a mask as one channel: white where it is anything but black."""
    if "A" in mask.getbands():  # How much shows of a colour is none of it.
        mask = mask.convert("RGB")
    pixels = np.asarray(mask)
    pixels = pixels.reshape(*pixels.shape[:2], -1).any(axis=-1)
    return Image.fromarray(np.uint8(255) * pixels)


def has_annotations(folder: str | os.PathLike) -> bool:
    """Whether a folder of images says where the objects are."""
    folder = at_home(folder)
    return has_boxes(folder) or (folder / MASKS).is_dir()


def _about(boxes, names, folder):
    """Yields lines on boxes of no image, and on those that are shares."""
    known = set(names)
    strange = [box for box in boxes if box.image not in known]
    if strange:
        yield (
            f"{len(strange):,} of {len(boxes):,} boxes are of no image in "
            f"{folder}, such as that of {strange[0].image!r} "
            f"({strange[0].place})."
        )
    if boxes and are_shares(boxes):
        yield f"Boxes are taken for shares of the images' sides: {folder}."


def _about_outside(boxes):
    if boxes:
        yield (
            f"{len(boxes):,} boxes lie outside of their image and count for "
            f"nothing, such as that of {boxes[0].image!r} ({boxes[0].place})."
        )


def _fitted(
    boxes: list[Box],
    names: list[str],
    paths: list[str],
    size: tuple[int, int],
    reading: ImageReading,
) -> tuple[np.ndarray, np.ndarray, list[Box]]:
    """Returns numbers of files `(n,)`, and boxes in the loader's pixels.

    The boxes are `(n, 4)`; several may be of one file. Last come those that lie
    beside their image.
    """
    number_of = {name: number for number, name in enumerate(names)}
    own = [box for box in boxes if box.image in number_of]
    if not own:
        return np.zeros(0, int), np.zeros((0, 4)), []
    owners = np.array([number_of[box.image] for box in own])
    files, places = np.unique(owners, return_inverse=True)
    sizes = in_threads(
        lambda path: probe_size(path, reading.max_pixels),
        [paths[number] for number in files],
    )
    sides = np.array(sizes, "float64")[places]
    corners = np.array([box.corners for box in own])
    if are_shares(boxes):
        corners = corners * sides[:, [1, 0, 1, 0]]
    low, high = corners[:, :2], corners[:, 2:]
    beside = np.any((high <= 0) | (low >= sides[:, ::-1]), axis=1)
    outside = [own[number] for number in np.flatnonzero(beside)]
    return owners, reading.fit_boxes(corners, sides, size), outside


def _mask_files(folder, names, part, masks):
    root = folder / MASKS if masks is None else at_home(masks)
    if not root.is_dir():
        raise ValueError(
            f"`masks` must be a folder of mask files. Received: masks={root}"
        )
    if part != "object":
        raise ValueError(
            f"Mask files show the object alone. Received: part={part!r}"
        )
    return [as_on_disk((root / name).with_suffix(".png")) for name in names]
