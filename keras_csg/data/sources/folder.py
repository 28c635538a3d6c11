import os
from pathlib import Path

import numpy as np

from keras_csg.data.annotated_images import AnnotatedImages, choose_annotated
from keras_csg.data.image_files import (
    decode_files,
    file_reader,
    in_threads,
    is_whole,
    probe_size,
)
from keras_csg.data.sources.base import (
    DEFAULT_SIZE,
    ClassificationData,
    Source,
)
from keras_csg.data.sources.folder_annotations import (
    FolderMasks,
    has_annotations,
)
from keras_csg.data.sources.folder_layout import read_layout
from keras_csg.data.sources.registry import register_source
from keras_csg.data.splits.holdout import hold_out, three_ways
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader

MOST_BROKEN = 0.01
"""Share of broken files above which a folder is refused."""


@register_source()
class FolderSource(Source):
    """A folder of images, with a sub-folder for each class."""

    mask_files = True

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether there is a folder of that name."""
        return Path(name).expanduser().is_dir()

    @classmethod
    def moved_name(cls, name: str, data_dir: str | os.PathLike) -> str:
        """Returns the folder that the images are in now."""
        return os.fspath(data_dir)

    def load(self) -> ClassificationData:
        """Loads the three splits, and keeps the paths of the test images."""
        request = self.request
        folder = Path(request.name).expanduser()
        names, splits = read_layout(folder)
        paths = [path for split in splits.values() for path in split.paths]
        labels = np.concatenate([split.labels for split in splits.values()])
        found = ", ".join(f"{len(s.paths):,} {n}" for n, s in splits.items())
        request.log(f"Reading the images of {folder}: {found}.")
        size, readable = _common_size(paths, request)
        cached = request.wants_cache(len(paths), size)
        read, whole = _reader(paths, size, cached)
        whole &= readable
        skipped = _report_broken(paths, whole, folder, request.log)
        parts = _parts(splits, whole, request)
        _check_classes(parts, labels, names, folder)
        self._test_paths = [paths[number] for number in parts[2]]
        shape = (*size, 3)
        ours = [
            IndexedSplit(read, labels, part, len(names), shape, cached=cached)
            for part in parts
        ]
        return ClassificationData(self, names, shape, *ours, skipped=skipped)

    def find_annotated(
        self,
        data: ClassificationData,
        part: str,
        masks: str | os.PathLike | None,
        limit: int | None,
    ) -> AnnotatedImages | None:
        """Returns the images that `boxes.csv` or mask files annotate."""
        folder, size = self.request.name, data.image_shape[:2]
        if masks is None and not has_annotations(folder):
            return None
        read_masks = FolderMasks(folder, self._test_paths, size, part, masks)
        numbers = np.flatnonzero(read_masks.annotated)
        return choose_annotated(data.test, numbers, read_masks, part, limit)


def _reader(paths, size, cached):
    """Returns a reader of the images, and which files can be decoded."""
    if cached:
        images, whole = decode_files(paths, size)
        return cached_reader(images), whole
    whole = np.array(in_threads(is_whole, paths))
    return file_reader(paths, size), whole


def _common_size(paths, request):
    """Returns the size to use, and which files have one: `(files,)` bools."""
    sizes = in_threads(probe_size, paths)
    known = {size for size in sizes if size is not None}
    size = next(iter(known)) if len(known) == 1 else DEFAULT_SIZE
    readable = np.array([size is not None for size in sizes])
    return request.image_size or size, readable


def _report_broken(paths, whole, folder, log):
    """Returns the broken files, or refuses the folder if they are many."""
    broken = [paths[number] for number in np.flatnonzero(~whole)]
    if len(broken) > MOST_BROKEN * len(paths):
        raise ValueError(
            "At most one image file in a hundred may be broken. Received: "
            f"name={str(folder)!r}, where {len(broken)} of {len(paths)} are: "
            + _some(broken, 3)
        )
    if broken:
        log(f"Left out {len(broken)} broken images: {_some(broken, 20)}")
    return broken


def _some(names, count):
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")


def _parts(splits, whole, request):
    """Returns the numbers of the files of train, validation and test."""
    own, start = {}, 0
    for name, split in splits.items():
        stop = start + len(split.paths)
        own[name] = start + np.flatnonzero(whole[start:stop])
        start = stop
    labels = np.concatenate([split.labels for split in splits.values()])
    train = own["train"]
    if "test" not in own:
        parts = three_ways(
            labels[train], request.validation_split, request.seed
        )
        return [train[part] for part in parts]
    if "validation" in own:
        return [train, own["validation"], own["test"]]
    kept, held = hold_out(labels[train], request.validation_split, request.seed)
    return [train[kept], train[held], own["test"]]


def _check_classes(parts, labels, names, folder):
    """Refuses a class of which nothing is left to train on."""
    left = np.bincount(labels[parts[0]], minlength=len(names))
    empty = [name for name, count in zip(names, left, strict=True) if not count]
    if empty:
        raise ValueError(
            "Every class must have images to train on after the held-out ones "
            f"are taken. Received: name={str(folder)!r}, where "
            f"{', '.join(empty)} has none"
        )
