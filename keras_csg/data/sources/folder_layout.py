"""Which files, classes and splits a folder of images holds."""

import dataclasses
import os
from pathlib import Path

import numpy as np

EXTENSIONS = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}

_SPLIT_NAMES = {
    "train": ("train",),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}


@dataclasses.dataclass(frozen=True)
class FolderSplit:
    """The files of one split: paths, and an int label `(files,)` for each."""

    paths: list[str]
    labels: np.ndarray


def read_layout(folder: Path) -> tuple[list[str], dict[str, FolderSplit]]:
    """Finds the images of a folder.

    Args:
        folder: Path. Class folders, or `train`, `val` and `test` with them.

    Returns:
        list of class names, and a dict of `FolderSplit` by `"train"`,
        `"validation"` and `"test"`, as far as the folder has them.

    Raises:
        ValueError: if the folder does not hold two classes or more, or one of
            them is missing from a split or empty.
    """
    roots = _split_folders(folder)
    classes = {split: _sub_folders(root) for split, root in roots.items()}
    names = sorted(set().union(*classes.values()))
    if len(names) < 2:
        raise ValueError(
            "`name` must be a folder with a sub-folder of images for each of "
            f"two or more classes. Received: name={str(folder)!r} with "
            f"{', '.join(names) or 'none'}"
        )
    for split, root in roots.items():
        _check_same_classes(root, names, classes[split])
    return names, {s: _find_images(r, names) for s, r in roots.items()}


def _split_folders(folder):
    """Returns the folder of each split; only `train` if there are none."""
    # A class may be called `train` too, but then it has no class folders.
    if not _sub_folders(folder / "train"):
        return {"train": folder}
    found = {}
    for split, spellings in _SPLIT_NAMES.items():
        for spelling in spellings:
            if (folder / spelling).is_dir():
                found.setdefault(split, folder / spelling)
    if "test" not in found and "validation" in found:
        found["test"] = found.pop("validation")
    return found


def _sub_folders(folder):
    if not folder.is_dir():
        return []
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    )


def _check_same_classes(root, names, found):
    odd = sorted(set(names) - set(found))
    if odd:
        raise ValueError(
            "Every split must have the same class folders. Received: "
            f"name={str(root)!r}, which lacks {', '.join(odd)}"
        )


def _find_images(root, names):
    paths, labels = [], []
    for label, name in enumerate(names):
        found = _images_below(root / name)
        if not found:
            raise ValueError(
                "Every class folder must hold images "
                f"({', '.join(sorted(EXTENSIONS))}). Received: "
                f"{str(root / name)!r}, which has none"
            )
        paths += found
        labels += [label] * len(found)
    return FolderSplit(paths, np.array(labels, "int32"))


def _images_below(folder):
    return sorted(
        os.path.join(place, name)
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if Path(name).suffix.lower() in EXTENSIONS and name[0] != "."
    )
