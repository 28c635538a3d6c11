"""Which images of a folder are trained, validated and tested on."""

import dataclasses
import os

import numpy as np

from keras_csg.data.duplicates import equal_files
from keras_csg.data.image_files import in_threads
from keras_csg.data.label_sets import images_per_class, leading_class
from keras_csg.data.listing import (
    LEFT_OUT,
    SPLITS,
    Listing,
    changes_since,
)
from keras_csg.data.sources.folder_files import FolderFiles
from keras_csg.data.sources.known_images import (
    NOWHERE,
    SEEN,
    contents_of,
    equal_contents,
    keep_in_place,
)
from keras_csg.data.sources.request import Request
from keras_csg.data.sources.split_hints import some_of
from keras_csg.data.splits.hashed import TEST, TRAIN, VALIDATION, assign_splits
from keras_csg.data.splits.holdout import hold_out, three_ways


@dataclasses.dataclass(frozen=True)
class Shares:
    """What goes where.

    Attributes:
        parts: list of the numbers of the files of train, validation and test.
        listing: `Listing` of these.
        changes: str. What is not as on the list of a run, as a line.
        notes: list of str. What a user should know, in lines.
        copies: list of groups of the numbers of equal files; not looked for
            where a run's list says what goes where.
    """

    parts: list[np.ndarray]
    listing: Listing
    changes: str
    notes: list[str]
    copies: list[np.ndarray]


def share_out(
    files: FolderFiles, whole: np.ndarray, request: Request
) -> Shares:
    """Shares out the files that can be read among the three splits.

    What a run has on its list stays where it was; nothing that it was trained
    on is tested on, even if it was moved.

    Args:
        files: `FolderFiles`.
        whole: bool array `(files,)`. Which of them can be read.
        request: `Request`.

    Raises:
        ValueError: if a class has nothing to train on, or a split nothing.
    """
    known = request.known
    readable = {files.keys[n]: files.paths[n] for n in np.flatnonzero(whole)}
    contents = contents_of(readable)
    copies = _copies(files, contents, known)
    if request.shuffled:
        own = _by_shuffling(files, whole, request)
    else:
        own = _by_name(files, whole, request, copies)
    own = np.where(whole, own, NOWHERE)
    sizes = dict(
        zip(files.keys, in_threads(os.path.getsize, files.paths), strict=True)
    )
    changes, notes = "", []
    if known is not None:
        changes = changes_since(
            known, sizes, contents, files.classes, files.rows
        )
        notes += keep_in_place(own, files, contents, known)
    else:
        notes += _about_copies(files, own, copies, request.drop_duplicates)
    parts = [np.flatnonzero(own == number) for number in range(len(SPLITS))]
    notes += _check(files, parts)
    images = {
        name: {files.keys[n]: sizes[files.keys[n]] for n in part}
        for name, part in zip(
            (*SPLITS, LEFT_OUT),
            (*parts, np.flatnonzero(own == NOWHERE)),
            strict=True,
        )
    }
    if changes:
        changes = f"{files.folder} has changed since the run: {changes} images."
        notes.insert(0, changes)
    names = files.class_names
    listing = Listing("", images, contents, files.classes, files.rows, names)
    if known is not None:
        listing = dataclasses.replace(listing, seen=_gone(known, listing))
        copies = []
    return Shares(parts, listing, changes, notes, copies)


def _gone(known, listing):
    """Returns the hashes of what was trained on and is no longer there."""
    before, now = known.split_of_content(), listing.split_of_content()
    return sorted(
        content
        for content, split in before.items()
        if split in SEEN and now.get(content) not in SEEN
    )


def _copies(files, contents, known):
    """Returns groups of the numbers of equal files; of a run, of new ones."""
    before = {} if known is None else known.split_of()
    new = {k: v for k, v in contents.items() if k not in before}
    likely = equal_contents(new)
    there = [number for number, key in enumerate(files.keys) if key in likely]
    found = equal_files([files.paths[number] for number in there])
    return [np.array(there)[group] for group in found]


def _by_name(files, whole, request, copies):
    """Holds out by the hash of each name, or group, within the class."""
    keys = _joined([files.groups.get(key, key) for key in files.keys], copies)
    own = files.own.copy()
    if {"validation", "test"} <= files.given:
        return own
    train = np.flatnonzero((own == TRAIN) & whole)
    found = assign_splits(
        [keys[number] for number in train],
        leading_class(files.labels[train]),
        request.validation_split,
        request.seed,
        with_test="test" not in files.given,
    )
    if "validation" in files.given:
        found[found == VALIDATION] = TRAIN
    own[train] = found
    return own


def _joined(keys, copies):
    """Returns the keys, one for all that go together by copies among them.

    A group stays whole where one of its images is equal to another group's.
    """
    first: dict[str, str] = {}

    def root(key):
        while key in first:
            key = first[key]
        return key

    for group in copies:
        roots = sorted({root(keys[number]) for number in group})
        first |= dict.fromkeys(roots[1:], roots[0])
    return [root(key) for key in keys]


def _by_shuffling(files, whole, request):
    """Holds out as before runs kept a list."""
    own = files.own.copy()
    train = np.flatnonzero((own == TRAIN) & whole)
    labels, fraction = files.labels[train], request.validation_split
    if "test" not in files.given:
        _, validation, test = three_ways(labels, fraction, request.seed)
        own[train[test]] = TEST
    elif "validation" not in files.given:
        _, validation = hold_out(labels, fraction, request.seed)
    else:
        return own
    own[train[validation]] = VALIDATION
    return own


def _about_copies(files, own, groups, drop):
    """Returns lines on equal files; drops those that would tell of others.

    What is tested on is kept before what is validated on, and that before what
    is trained on.
    """
    lines = []
    several = [g for g in groups if len(np.unique(files.labels[g], axis=0)) > 1]
    if several:
        _, apart = np.unique(
            files.labels[several[0]], axis=0, return_index=True
        )
        what = "lie in the folders of several classes"
        if files.labels.ndim == 2:
            what = "are there again with other labels"
        lines.append(
            f"{len(several):,} images {what}, such as "
            f"{_names(files, several[0][apart])}."
        )
    across = [g for g in groups if len(np.unique(own[g])) > 1]
    if not across:
        return lines
    copies = np.concatenate([g[own[g] < own[g].max()] for g in across])
    what = f"{len(across):,} images are in more than one split, such as "
    _, apart = np.unique(own[across[0]], return_index=True)
    what += _names(files, across[0][apart])
    if drop:
        own[copies] = NOWHERE
        lines.append(f"{what}: {len(copies):,} copies are left out.")
    else:
        lines.append(
            f"{what}: figures of the test split are too good by them; "
            "`drop_duplicates` leaves the others out."
        )
    return lines


def _names(files, group):
    return " and ".join(files.keys[number] for number in group[:2])


def _check(files, parts):
    """Returns a line on classes that a split has none of."""
    counts = [
        images_per_class(files.labels[part], len(files.class_names))
        for part in parts
    ]
    if np.any(counts[TRAIN] == 0):
        raise ValueError(
            "Every class must have images to train on. Received: "
            f"{str(files.folder)!r}, where "
            f"{_without(counts[TRAIN], files)} has none left: broken files and "
            "dropped copies are none" + _about_groups(files)
        )
    for number in (TEST, VALIDATION):
        if not len(parts[number]):
            raise ValueError(
                "There must be images to train, to validate and to test on. "
                f"Received: {str(files.folder)!r}, which leaves none that "
                f"differs and can be read for {SPLITS[number]}"
                + _about_groups(files)
            )
    lacks = [
        f"{SPLITS[number]} has none of {_without(counts[number], files)}"
        for number in (VALIDATION, TEST)
        if np.any(counts[number] == 0)
    ]
    return [f"{files.folder}: {'; '.join(lacks)}."] if lacks else []


def _about_groups(files):
    if not files.groups:
        return ""
    count = len(set(files.groups.values()))
    return (
        f"; the images of a group go together, and those of all {count:,} are "
        "needed for training"
    )


def _without(counts, files):
    names = [files.class_names[label] for label in np.flatnonzero(counts == 0)]
    return some_of(names)
