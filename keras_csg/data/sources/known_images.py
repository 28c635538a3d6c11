"""What a run has seen of a folder stays where it was, whatever it is called."""

import collections
from collections.abc import Mapping, Sequence

import numpy as np

from keras_csg.data.duplicates import content_of
from keras_csg.data.image_files import in_threads
from keras_csg.data.listing import LEFT_OUT, SPLITS, Listing
from keras_csg.data.sources.folder_files import FolderFiles
from keras_csg.data.splits.hashed import TEST, TRAIN, VALIDATION

NOWHERE = -1
SEEN = ("train", "validation")


def contents_of(paths: Mapping[str, str]) -> dict[str, str]:
    """Returns a hash of each file by its path within the data.

    Of all, each time: sizes and times of files that were unpacked are alike.

    Args:
        paths: dict from a file's path within the data to its path.
    """
    hashes = in_threads(content_of, paths.values())
    return dict(zip(paths, hashes, strict=True))


def equal_contents(contents: Mapping[str, str]) -> set[str]:
    """Returns the paths of files that share their hash with another.

    Args:
        contents: dict from the path of each file to its hash.
    """
    counts = collections.Counter(contents.values())
    return {path for path, content in contents.items() if counts[content] > 1}


def keep_in_place(
    own: np.ndarray,
    files: FolderFiles,
    contents: Mapping[str, str],
    known: Listing,
) -> list[str]:
    """Puts every image where a run had it; returns a line on moved ones.

    An image is known by what is in its file, and goes where it was. One that
    was trained on and lies in the folder of another split now goes nowhere.
    New ones go where their name was, or their group.

    Args:
        own: int array `(files,)`, the split of each; it is changed.
        files: `FolderFiles`.
        contents: dict from the files' keys to hashes.
        known: `Listing` of before.
    """
    keys, groups = files.keys, files.groups
    before = known.split_of()
    split_of_content = known.split_of_content()
    split_of_group = {
        groups[key]: before[key]
        for key in keys
        if key in groups and before.get(key, LEFT_OUT) != LEFT_OUT
    }
    held = 0
    for number, key in enumerate(keys):
        if own[number] == NOWHERE:
            continue
        # What was broken then, so that it has no hash, is new.
        mended = known.contents and key not in known.contents
        there = None if mended else before.get(key)
        split = there or split_of_group.get(groups.get(key, ""))
        if split is not None:
            own[number] = NOWHERE if split == LEFT_OUT else SPLITS.index(split)
        content = contents[key]
        if there and known.contents.get(key, content) == content:
            continue
        was = split_of_content.get(content)
        if was in ("validation", "test"):
            own[number] = SPLITS.index(was)
        elif was == "train" and own[number] in (VALIDATION, TEST):
            # Held out by its new name, or put there.
            put_there = files.own[number] != TRAIN
            own[number] = NOWHERE if put_there else TRAIN
            held += put_there
    if not held:
        return []
    return [
        f"{held:,} images that were trained on lie in the other splits now: "
        "they are left out."
    ]


def count_seen(contents: Sequence[str], known: Listing) -> int:
    """Returns how many images a run was trained or validated on.

    Args:
        contents: list of hashes of images.
        known: `Listing` of the run.
    """
    seen = known.split_of_content()
    return sum(seen.get(content) in SEEN for content in contents)
