"""What a data set is like, before anything is trained on it."""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_csg.data.duplicates import near_pictures, perceptual_hash
from keras_csg.data.image_files import in_threads
from keras_csg.data.listing import SPLITS
from keras_csg.data.sources.base import ClassificationData

UNEVEN = 3
"""Times as many images as the rarest class has, from which it is told."""


@dataclasses.dataclass(frozen=True)
class Groups:
    """Images that belong together, such as copies of one.

    Attributes:
        groups: list of lists of the images' paths, or of a split and a number
            where they are no files.
        across: int. Groups that are in more than one split.
        classes: int. Groups that are of more than one class.
    """

    groups: list[list[str]]
    across: int
    classes: int


@dataclasses.dataclass(frozen=True)
class DataReport:
    """What a data set holds.

    Attributes:
        name: str.
        class_names: list of str.
        image_shape: tuple `(height, width, 3)` that images are given.
        counts: dict from a split to the list of its images per class.
        examples: dict from a split to the number of its images.
        sizes: dict from `"height x width"` of the files to their number, the
            most frequent first; empty where all are of `image_shape`.
        aspects: pair of the narrowest and the widest image's width over its
            height, `None` like `sizes`.
        passed_over: dict from a reason to what is not read for it: `count` and
            the first names, `examples`.
        broken: list of str. Files that cannot be read, each with the reason.
        notes: list of str. What else a user should know, in lines.
        copies: `Groups` of equal files, `None` where there are no files.
        near: `Groups` of nearly equal pictures that are no copies, `None`
            where it was not looked for.
    """

    name: str
    class_names: list[str]
    image_shape: tuple[int, int, int]
    counts: dict[str, list[int]]
    examples: dict[str, int]
    sizes: dict[str, int]
    aspects: tuple[float, float] | None
    passed_over: dict[str, dict[str, Any]]
    broken: list[str]
    notes: list[str]
    copies: Groups | None
    near: Groups | None

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return dataclasses.asdict(self)


def report_on(
    data: ClassificationData,
    *,
    near: bool = True,
    track: Callable[[Iterable, str, int], Iterable] = lambda batches, *_: (
        batches
    ),
) -> DataReport:
    """Looks through a data set.

    Args:
        data: `ClassificationData`.
        near: bool. Whether to look for nearly equal pictures, which reads all
            of them.
        track: callable from batches, a text and their number to the batches,
            such as a progress bar.
    """
    splits = [data.train, data.validation, data.test]
    facts = data.source.facts(data)
    labels = (
        [_labels(split) for split in splits] if facts.copies or near else []
    )
    copies = None
    if facts.copies is not None:
        copies = _grouped(facts.copies, facts.keys, labels)
    pictures = None
    if near:
        hashes = _hashes(splits, track)
        known = {tuple(group) for group in facts.copies or []}
        found = [g for g in near_pictures(hashes) if tuple(g) not in known]
        pictures = _grouped(found, facts.keys, labels)
    heights = [f"{height} x {width}" for height, width in facts.sizes]
    aspects = [width / height for height, width in facts.sizes]
    return DataReport(
        name=data.name,
        class_names=list(data.class_names),
        image_shape=data.image_shape,
        counts={
            name: split.class_counts.tolist()
            for name, split in zip(SPLITS, splits, strict=True)
        },
        examples={
            name: split.num_examples
            for name, split in zip(SPLITS, splits, strict=True)
        },
        sizes=dict(Counter(heights).most_common()),
        aspects=(min(aspects), max(aspects)) if aspects else None,
        passed_over=facts.passed_over,
        broken=facts.broken or list(data.skipped),
        notes=[*facts.notes, *uneven_classes(data)],
        copies=copies,
        near=pictures,
    )


def uneven_classes(data: ClassificationData) -> list[str]:
    """Returns a line if some classes have far more images than others.

    Args:
        data: `ClassificationData`.
    """
    counts = data.train.class_counts
    if counts.max() < UNEVEN * max(counts.min(), 1):
        return []
    fewest, most = (data.class_names[n] for n in _extremes(counts))
    return [
        f"Classes have {counts.min():,} ({fewest}) to {counts.max():,} "
        f"({most}) images to train on: a rare one counts little in accuracy "
        "and loss. `--logit-adjustment 1` makes up for that best."
    ]


def _extremes(counts):
    return int(np.argmin(counts)), int(np.argmax(counts))


def _labels(split):
    batches = split.batches(1024)
    return np.concatenate([labels.numpy() for _, labels in batches])


def _hashes(splits, track):
    """Returns the perceptual hashes of all images, `(images, 64)`."""
    steps = sum(split.steps_per_epoch(256) for split in splits)
    batches = itertools.chain.from_iterable(s.batches(256) for s in splits)
    return np.concatenate(
        [
            in_threads(perceptual_hash, images.numpy())
            for images, _ in track(batches, "Comparing pictures", steps)
        ]
    )


def _grouped(groups, keys, labels):
    """Returns groups of numbers, counted over the splits, as `Groups`."""
    if not groups:
        return Groups([], across=0, classes=0)
    starts = np.cumsum([len(part) for part in labels])
    labels = np.concatenate(labels)
    splits = [np.searchsorted(starts, group, "right") for group in groups]
    return Groups(
        [[keys[number] for number in group] for group in groups],
        across=sum(len(set(own)) > 1 for own in splits),
        classes=sum(
            len(np.unique(labels[group], axis=0)) > 1 for group in groups
        ),
    )
