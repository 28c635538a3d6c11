import dataclasses
import os
from pathlib import Path

import numpy as np

from keras_csg.data.annotated_images import AnnotatedImages, choose_annotated
from keras_csg.data.file_images import decode_files, file_reader
from keras_csg.data.image_files import in_threads, probe_size
from keras_csg.data.image_reading import PLAIN
from keras_csg.data.image_sizes import size_of_all
from keras_csg.data.sample_range import range_of_files, size_and_largest
from keras_csg.data.sources.base import (
    ClassificationData,
    Source,
    SourceFacts,
)
from keras_csg.data.sources.class_choice import choose_of_folder
from keras_csg.data.sources.folder_annotations import (
    FolderMasks,
    has_annotations,
)
from keras_csg.data.sources.folder_files import FolderFiles
from keras_csg.data.sources.folder_layout import read_layout
from keras_csg.data.sources.folder_splits import share_out
from keras_csg.data.sources.labels_file import read_labels
from keras_csg.data.sources.multi_labels_file import read_multi_labels
from keras_csg.data.sources.registry import register_source
from keras_csg.data.sources.request import OPTIONAL
from keras_csg.data.sources.split_hints import SHOWN, some_of
from keras_csg.data.splits.hashed import TEST
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader
from keras_csg.files import at_home

MOST_BROKEN = 0.01
"""Share of broken files above which a folder is refused."""


@register_source()
class FolderSource(Source):
    """A folder of images, with a sub-folder for each class."""

    mask_files = True
    takes = tuple(OPTIONAL)

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether there is a folder of that name."""
        return at_home(name).is_dir()

    @classmethod
    def moved_name(cls, name: str, data_dir: str | os.PathLike) -> str:
        """Returns the folder that the images are in now."""
        return os.fspath(data_dir)

    def lasting_name(self) -> str:
        """Returns the folder's absolute path."""
        return os.path.abspath(at_home(self.request.name))

    def lasting_labels(self) -> str | None:
        """Returns the table's absolute path."""
        labels = self.request.labels
        if labels is None:
            return None
        return os.path.abspath(_beside(labels, self.folder))

    @property
    def folder(self) -> Path:
        """The folder."""
        return at_home(self.request.name)

    def load(self) -> ClassificationData:
        """Loads the three splits, and keeps the paths of the test images."""
        request = self.request
        folder = self.folder
        if request.labels is None and request.multi_label:
            raise ValueError(
                "`multi_label` needs `labels`, a table of each image's "
                f"classes. Received: labels=None for data={request.name!r}"
            )
        if request.labels is None:
            some = bool(request.classes or request.hold_out_classes)
            layout = read_layout(folder, request.splits, some)
        else:
            if request.splits is not None:
                raise ValueError(
                    "`splits` are of folders; of `labels` the table's column "
                    f"`split` says them. Received: splits={request.splits!r}"
                )
            table = _beside(request.labels, folder)
            if request.multi_label:
                layout = read_multi_labels(table, folder, request)
            else:
                layout = read_labels(table, folder)
        layout = choose_of_folder(layout, request)
        files = FolderFiles(folder, layout)
        for line in (*layout.notes, *layout.passed_over.lines(folder)):
            request.log(line)
        found = layout.splits.items()
        counts = ", ".join(f"{len(s.paths):,} {name}" for name, s in found)
        request.log(f"Reading the images of {folder}: {counts}.")
        tell = _progress(len(files.paths), request.log)
        sizes, reading, about_white = _look_at(files.paths, request, tell)
        size = request.image_size or size_of_all(sizes)
        cached = request.wants_cache(len(files.paths), size)
        read, whole = _reader(files.paths, size, reading, cached, tell)
        whole &= np.array([known is not None for known in sizes])
        skipped = _report_broken(files.paths, whole, folder, request)
        try:
            shares = share_out(files, whole, request)
        except ValueError as error:
            if not skipped:
                raise
            why = [_with_reason(path, request) for path in skipped[: SHOWN + 1]]
            raise ValueError(f"{error}. Broken: {some_of(why)}") from error
        for line in shares.notes:
            request.log(line)
        self._test_paths = [files.paths[n] for n in shares.parts[TEST]]
        order = np.concatenate(shares.parts)
        self._facts = SourceFacts(
            keys=[files.keys[number] for number in order],
            sizes=[sizes[number] for number in order],
            passed_over=layout.passed_over.to_dict(folder),
            copies=_in_order(shares.copies, order),
            notes=[*layout.notes, *about_white, *shares.notes],
            broken=[_with_reason(path, request) for path in skipped],
        )
        names, shape = layout.class_names, (*size, 3)
        splits = [
            IndexedSplit(
                read, files.labels, part, len(names), shape, cached=cached
            )
            for part in shares.parts
        ]
        return ClassificationData(
            self,
            names,
            shape,
            *splits,
            skipped=skipped,
            listing=shares.listing,
            reading=reading,
            changes=shares.changes,
        )

    def facts(self, data: ClassificationData) -> SourceFacts:
        """Returns what was found in the folder, and which files are equal."""
        return self._facts

    def find_annotated(
        self,
        data: ClassificationData,
        part: str,
        masks: str | os.PathLike | None,
        limit: int | None,
    ) -> AnnotatedImages | None:
        """Returns the images that `boxes.csv` or mask files annotate."""
        folder, size = self.folder, data.image_shape[:2]
        if masks is None and not has_annotations(folder):
            return None
        read_masks = FolderMasks(
            folder,
            self._test_paths,
            size,
            part,
            masks,
            reading=data.reading,
            known=self._facts.keys,
            log=self.request.log,
        )
        numbers = np.flatnonzero(read_masks.annotated)
        return choose_annotated(data.test, numbers, read_masks, part, limit)


def _beside(path, folder):
    """Returns the path of a file, from here or from the folder."""
    path = at_home(path)
    if path.is_file():
        return path
    # Where the folder moved, the table may have moved with it.
    inner = (folder / path, folder / path.name)
    return next((file for file in inner if file.is_file()), path)


def _in_order(groups, order):
    """Returns groups of files' numbers by their places in an order."""
    place_of = {number: place for place, number in enumerate(order.tolist())}
    placed = [
        sorted(place_of[n] for n in group.tolist() if n in place_of)
        for group in groups
    ]
    return sorted(group for group in placed if len(group) > 1)


def _progress(total, log):
    """Returns what says how many of the files are done."""
    return lambda done: log(f"{done:,} of {total:,} files")


def _look_at(paths, request, tell):
    """Returns the files' sizes, how to read them, and lines on that.

    What is white in them hangs on all.
    """
    reading = request.reading
    # A run's images are read as they were when it was trained.
    if reading.white_level is not None or request.known is not None:
        sizes = in_threads(
            lambda path: probe_size(path, reading.max_pixels), paths, tell
        )
        return sizes, reading, []
    looks = in_threads(
        lambda path: size_and_largest(path, reading.max_pixels), paths, tell
    )
    white, notes = range_of_files(largest for _, largest in looks)
    for line in notes:
        request.log(line)
    reading = dataclasses.replace(reading, white_level=white)
    return [size for size, _ in looks], reading, notes


def _reader(paths, size, reading, cached, tell):
    """Returns a reader of the images, and which files can be decoded."""
    if cached:
        images, whole = decode_files(paths, size, reading, tell)
        return cached_reader(images), whole
    whole = np.array(in_threads(reading.is_whole, paths, tell))
    return file_reader(paths, size, reading), whole


def _report_broken(paths, whole, folder, request):
    """Returns the broken files, or refuses the folder if they are many."""
    broken = [paths[number] for number in np.flatnonzero(~whole)]
    most = len(paths) - 1 if request.looking else MOST_BROKEN * len(paths)
    if len(broken) > most:
        raise ValueError(
            "At most one image file in a hundred may be broken: mend or remove "
            "them; `keras-csg data --json` lists all. Received: "
            f"{str(folder)!r}, where {len(broken)} of {len(paths)} are: "
            + some_of([_with_reason(path, request) for path in broken[:4]], 3)
            + _about_limit(request.reading)
        )
    if broken:
        told = [_with_reason(path, request) for path in broken[:21]]
        request.log(
            f"Left out {len(broken)} broken images: {some_of(told, 20)}"
        )
    return broken


def _with_reason(path, request):
    return f"{path} ({request.reading.why_broken(path) or 'broken'})"


def _about_limit(reading):
    if reading.max_pixels == PLAIN.max_pixels:
        return ""
    return (
        f". Those of more than `max_pixels`, {reading.max_pixels:,}, count "
        "as broken"
    )
