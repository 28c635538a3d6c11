"""Which files, classes and splits a folder of images holds."""

import dataclasses
import itertools
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_csg.data.listing import SPLITS
from keras_csg.data.sources.folder_walk import PassedOver, Walker
from keras_csg.data.sources.split_hints import (
    ANNOTATIONS,
    check_flat,
    look_like_splits,
    some_of,
    unclear_splits,
)
from keras_csg.data.sources.split_names import (
    NONE,
    composed,
    parse_splits,
    split_of,
)


@dataclasses.dataclass(frozen=True)
class FolderSplit:
    """The files of one split: paths, and their labels.

    An int `(files,)` for each, or zeros and ones `(files, classes)`.
    """

    paths: list[str]
    labels: np.ndarray


@dataclasses.dataclass(frozen=True)
class FolderLayout:
    """What a folder of images holds.

    Attributes:
        class_names: list of str.
        splits: dict of `FolderSplit` by `"train"`, `"validation"` and
            `"test"`, as far as the folder has them.
        passed_over: `PassedOver`. What is not read.
        notes: list of str. What a user should know besides, in lines.
        groups: dict from an image's path within the folder to what it belongs
            to: images of one group go to one split.
        table: bool. Whether a table says the classes, not folders.
    """

    class_names: list[str]
    splits: dict[str, FolderSplit]
    passed_over: PassedOver
    notes: list[str]
    groups: dict[str, str] = dataclasses.field(default_factory=dict)
    table: bool = False


def read_layout(
    folder: Path,
    splits: str | Mapping[str, str] | None = None,
    some: bool = False,
) -> FolderLayout:
    """Finds the images of a folder.

    Args:
        folder: Path. Class folders, or folders with them for each split, by
            the names that people give those.
        splits: the folder of each split, `"train=A,test=B"` or a dict, or
            `"none"` where the folders are classes.
        some: bool. Whether but some of the classes will be taken, so that
            others may lack images.

    Raises:
        ValueError: if the folder does not hold two classes or more, one has
            no images to train on, or it cannot be told which folders are
            splits and which are classes.
    """
    walker = Walker(PassedOver())
    roots, notes = _split_folders(folder, splits, walker, some)
    besides = {*roots.values()}
    if len(roots) > 1 and folder in roots.values():
        besides |= _splits_within(folder, walker)
        left = sorted(besides - {*roots.values()})
        notes += _not_read(folder, left, set(), walker)
    classes = {
        split: _class_folders(root, walker, besides)
        for split, root in roots.items()
    }
    names = sorted(classes["train"])
    for root in dict.fromkeys([folder, *roots.values()]):
        walker.enter(root)
        walker.pass_over_loose(root)
    if len(names) < 2:
        raise ValueError(
            "The data must be a folder with a sub-folder of images for each of "
            f"two or more classes. Received: {str(folder)!r} with "
            f"{', '.join(names) or 'none'}{_one_below(roots['train'], walker)}"
        )
    found = {}
    for split in sorted(roots, key=SPLITS.index):
        root = roots[split]
        if split != "train" and not classes[split].keys() & set(names):
            notes.append(f"{root} has none of the classes: it is not read.")
            continue
        odd = sorted(classes[split].keys() - {*names})
        if odd and not some:
            raise ValueError(
                "Every class must have a folder to train on. Received: "
                f"{str(root)!r}, where {some_of(odd)} is not in that of train"
            )
        if odd:
            notes.append(f"{root}: {some_of(odd)} is no class of train.")
        found[split] = _find_images(classes[split], names, walker)
        notes += _without(split, found[split], root, names, some, walker)
    return FolderLayout(
        names,
        {split: files for split, files in found.items() if files.paths},
        walker.passed_over,
        notes,
    )


def _one_below(root, walker):
    """Returns a hint if the classes lie one folder further down."""
    inner = walker.sub_folders(root)
    if len(inner) != 1 or len(walker.sub_folders(inner[0])) < 2:
        return ""
    return f"; is {inner[0]} meant?"


def _split_folders(folder, splits, walker, some):
    """Returns the folder of each split, and lines on what was made of them.

    Only `train`, the folder itself, if there are none.
    """
    inner = walker.sub_folders(folder)
    if splits == NONE:
        return {"train": folder}, []
    asked = parse_splits(splits)
    if asked:
        roots = {split: _there(folder, asked[split]) for split in asked}
        if len({r.resolve() for r in roots.values()}) < len(roots):
            raise ValueError(
                "Each of `splits` must be a folder of its own. "
                f"Received: splits={splits!r}"
            )
        if folder in roots.values():  # Whose folders are classes.
            return roots, []
        whole = folder.resolve()
        taken = {
            root.resolve().relative_to(whole).parts[0]
            for root in roots.values()
            if root.resolve().is_relative_to(whole)
        }
        return roots, _not_read(folder, inner, taken | {*ANNOTATIONS}, walker)
    # A class may be called `train` too, but then it has no class folders.
    deep = {path.name: path for path in inner if walker.sub_folders(path)}
    named: dict[str, list[str]] = {}
    for name in deep:
        named.setdefault(split_of(name) or "", []).append(name)
    others = [name for name in named.pop("", []) if name not in ANNOTATIONS]
    if "train" not in named:
        if named or look_like_splits([deep[n] for n in others], walker):
            raise unclear_splits(folder, deep, walker)
        if not some:
            flat = [path for path in inner if path.name not in deep]
            check_flat(folder, flat, walker)
        return {"train": folder}, []
    if any(len(names) > 1 for names in named.values()):
        raise unclear_splits(folder, deep, walker)
    roots = {
        split: _innermost(deep[n], walker) for split, (n,) in named.items()
    }
    taken = {*deep, *ANNOTATIONS} - {*others}
    if "test" not in roots and "validation" in roots:
        roots["test"] = roots.pop("validation")
    return roots, _not_read(folder, inner, taken, walker)


def _splits_within(folder, walker):
    """Returns folders beside classes that are called as splits are."""
    return {
        path
        for path in walker.sub_folders(folder)
        if split_of(path.name) and walker.sub_folders(path)
    }


def _not_read(folder, inner, taken, walker):
    """Returns a line on folders that are no split, with their files."""
    counts = {
        path: sum(len(row[2]) for row in os.walk(path))
        for path in inner
        if path.name not in taken
    }
    flat = {
        path: count
        for path, count in counts.items()
        if split_of(path.name) and not walker.sub_folders(path)
    }
    notes = []
    if flat:
        notes.append(
            f"Not read in {folder}, as there are no class folders in it: "
            f"{_counted(flat)}."
        )
    if others := {p: n for p, n in counts.items() if p not in flat}:
        notes.append(
            f"Not read in {folder}, as no split with classes is called so: "
            f"{_counted(others)}. `splits` says which is which."
        )
    return notes


def _counted(counts):
    return ", ".join(f"{p.name} ({n:,} files)" for p, n in counts.items())


def _there(folder, name):
    root = folder / name
    if not root.is_dir():
        raise ValueError(
            f"`splits` must name folders in {folder}. Received: {name!r}, "
            "which is none"
        )
    return root


def _innermost(root, walker):
    """Returns the folder of the classes: `seg_train/seg_train` for one."""
    inner = walker.sub_folders(root)
    if len(inner) == 1 and split_of(inner[0].name) == split_of(root.name):
        return _innermost(inner[0], walker)
    return root


def _class_folders(root, walker, splits=frozenset()):
    """Returns the class folders by their names: not that of their masks.

    A name may be written in two forms, and then has two folders. Folders of
    splits within one are no classes.
    """
    paths = [p for p in walker.sub_folders(root) if p not in splits]
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(composed(path.name), []).append(path)
    for path in paths:
        if path.name in ANNOTATIONS:
            inner = {composed(f.name) for f in walker.sub_folders(path)}
            if inner & found.keys():
                del found[path.name]
    return found


def _find_images(folders, names, walker):
    found = [
        [file for path in folders.get(n, []) for file in walker.images(path)]
        for n in names
    ]
    labels = np.repeat(
        np.arange(len(names), dtype="int32"), list(map(len, found))
    )
    return FolderSplit(list(itertools.chain.from_iterable(found)), labels)


def _without(split, files, root, names, some, walker):
    """Returns lines on classes without images; refuses them in train."""
    counts = np.bincount(files.labels, minlength=len(names))
    empty = [n for n, count in zip(names, counts, strict=True) if not count]
    if empty and split == "train" and not some:
        reason = walker.unreadable.get(str(root / empty[0]))
        raise ValueError(
            "Every class folder must hold images to train on, but for those "
            "that `classes` leaves out. Received: "
            f"{str(root / empty[0])!r}, which "
            + (f"cannot be read: {reason}" if reason else "has none")
        )
    return [f"{root} has no images of {some_of(empty)}."] if empty else []
