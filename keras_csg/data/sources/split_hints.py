"""Which folders may be splits, and how to say which are."""

import collections
import itertools
from collections.abc import Sequence
from pathlib import Path

from keras_csg.data.sources.folder_walk import Walker
from keras_csg.data.sources.split_names import split_of

MASKS, YOLO = "masks", "labels"
"""Folders of annotations, beside the classes or the splits."""
ANNOTATIONS = (MASKS, YOLO)
SHOWN = 4


def look_like_splits(folders: Sequence[Path], walker: Walker) -> bool:
    """Whether most folders share folders' names, and some lack own images.

    Args:
        folders: list of Path, of folders with folders in them.
        walker: `Walker`.
    """
    names = [{path.name for path in walker.sub_folders(f)} for f in folders]
    counts = collections.Counter(itertools.chain.from_iterable(names))
    shared = {name for name, count in counts.items() if count > 1}
    alike = [
        folder
        for folder, own in zip(folders, names, strict=True)
        if len(own & shared) >= 2
    ]
    most = len(alike) >= 2 and 2 * len(alike) > len(folders)
    return most and not all(map(walker.holds_images, alike))


def check_flat(folder: Path, flat: Sequence[Path], walker: Walker) -> None:
    """Refuses folders of images that may be no class.

    Args:
        folder: Path of the data.
        flat: list of Path, of folders in it that have images.
        walker: `Walker`.

    Raises:
        ValueError: if one is called as a split, or as masks, and has the
            names of others' images.
    """
    odd = [
        path
        for path in flat
        if split_of(path.name) in ("validation", "test")
        or "unlabel" in path.name.lower()
        or (
            path.name in ANNOTATIONS
            and len(flat) > 2
            and _named_alike(path, flat, walker)
        )
    ]
    if odd:
        raise ValueError(
            f"{odd[0]} may be no class by its name: `classes` names those that "
            "are, or `splits='none'` says that it is one, too. Received: "
            f"{str(folder)!r} with {some_of([path.name for path in flat])}"
        )


def _named_alike(folder, others, walker):
    """Whether all files of a folder are called as some of others' are."""
    names = [
        {Path(name).stem for name in walker.names(path)}
        for path in others
        if path != folder
    ]
    own = {Path(name).stem for name in walker.names(folder)}
    return bool(own) and own <= set().union(*names)


def unclear_splits(
    folder: Path, deep: dict[str, Path], walker: Walker
) -> ValueError:
    """Returns the error on folders that may be either, with a way out.

    Args:
        folder: Path of the data.
        deep: dict from names to folders in it that have folders.
        walker: `Walker`.
    """
    held = [
        f"{name} ({some_of([p.name for p in walker.sub_folders(path)])})"
        for name, path in sorted(deep.items())
    ]
    example = _example(folder, deep, walker)
    return ValueError(
        "It must be clear which folders are splits and which are classes. "
        f"Received: {str(folder)!r} with {some_of(held)}. Say it with "
        f"`splits`, such as '{example}', or 'none' if these are the classes"
    )


def _example(folder, deep, walker):
    """Returns how `splits` may be said, by what the names seem to mean."""
    names = sorted(deep)
    validation = [n for n in names if split_of(n) == "validation"]
    test = [n for n in names if split_of(n) == "test"] or [
        n for n in names if n.lower().startswith(("te", "val", "hold"))
    ]
    train = [n for n in names if split_of(n) == "train"] or [
        n for n in names if n not in test
    ]
    flat = [p for p in walker.sub_folders(folder) if p.name not in deep]
    if any(map(walker.holds_images, flat)):
        train = ["."]  # Classes lie beside the split.
    test = test or [n for n in names if n not in train[:1]]
    if test[:1] == validation[:1]:  # It serves as both.
        validation = []
    found = (train, validation, test)
    pairs = zip(("train", "validation", "test"), found, strict=True)
    return ",".join(f"{split}={found[0]}" for split, found in pairs if found)


def some_of(names: Sequence[str], count: int = SHOWN) -> str:
    """Returns the first of some names, and dots if there are more.

    Args:
        names: list of str.
        count: int.
    """
    return ", ".join(names[:count]) + (", ..." if len(names) > count else "")
