"""The image files of a folder, and what is known of each by its place."""

import os
from pathlib import Path

import numpy as np

from keras_csg.data.label_sets import names_of_each
from keras_csg.data.listing import SPLITS
from keras_csg.data.sources.folder_layout import FolderLayout
from keras_csg.data.sources.split_names import composed


class FolderFiles:
    """The image files of a folder, each with a number.

    Args:
        folder: Path.
        layout: `FolderLayout` of it.

    Attributes:
        paths: list of str.
        keys: list of str. The same from the folder, with slashes.
        labels: int array `(files,)`, or zeros and ones `(files, classes)`.
        own: int array `(files,)`. The split that each lies in.
        classes: dict from keys to class names, where a table has them.
        rows: dict from keys to what a table says of split and group.
    """

    def __init__(self, folder: Path, layout: FolderLayout):
        self.folder = folder
        self.class_names = layout.class_names
        self.groups = layout.groups
        self.given = set(layout.splits)
        splits = layout.splits.values()
        self.paths = [path for split in splits for path in split.paths]
        self.keys = [
            composed(Path(os.path.relpath(path, folder)).as_posix())
            for path in self.paths
        ]
        self.labels = np.concatenate([split.labels for split in splits])
        self.own = np.repeat(
            [SPLITS.index(name) for name in layout.splits],
            [len(split.paths) for split in splits],
        )
        self.classes: dict[str, str] = {}
        self.rows: dict[str, list[str]] = {}
        if layout.table:
            names = names_of_each(self.labels, self.class_names)
            self.classes = dict(zip(self.keys, names, strict=True))
            self.rows = {
                key: [SPLITS[number], self.groups.get(key, "")]
                for key, number in zip(self.keys, self.own, strict=True)
            }
