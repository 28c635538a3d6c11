"""Image sets of Hugging Face: by name, or from where they were saved."""

import dataclasses
import os
from typing import Any

import numpy as np

from keras_csg.data.listing import SPLITS, Listing
from keras_csg.data.sources.base import (
    ClassificationData,
    Source,
    SourceFacts,
)
from keras_csg.data.sources.class_choice import choose_classes
from keras_csg.data.sources.encoded_images import (
    EncodedImages,
    common_size,
    digest_of,
)
from keras_csg.data.sources.registry import register_source
from keras_csg.data.sources.split_names import NONE, named_for, parse_splits
from keras_csg.data.splits.hashed import (
    TEST,
    TRAIN,
    VALIDATION,
    assign_splits,
)
from keras_csg.files import at_home

PREFIX = "hf:"
SAVED = ("dataset_dict.json", "state.json")
"""What `save_to_disk` leaves in a folder."""


@register_source()
class HuggingFaceSource(Source):
    """A set of images of the package `datasets`.

    `hf:NAME` or `hf:NAME:CONFIG` of the hub, or a folder that `save_to_disk`
    wrote. It has one column of images and one of labels, a `ClassLabel` or
    texts; others are not looked at.
    """

    takes = ("splits", "labels")

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether it is such a name or such a folder."""
        if name.startswith(PREFIX):
            return True
        folder = at_home(name)
        return any((folder / file).is_file() for file in SAVED)

    def lasting_name(self) -> str:
        """Returns a folder's absolute path; names are as they were."""
        name = self.request.name
        if name.startswith(PREFIX):
            return name
        return os.path.abspath(at_home(name))

    def load(self) -> ClassificationData:
        """Loads the three splits.

        Raises:
            ValueError: if the set cannot be had, has no images with one label
                each, or no split to train on.
        """
        request = self.request
        parts = _open(request)
        image, label = _columns(parts, request)
        names = _class_names(parts, label)
        labels = {own: _labels(parts[own], label, names) for own in parts}
        self._notes = _leave_out(parts, labels, image, request)
        digest = digest_of(parts, labels, image)
        names, number_of = choose_classes(names, request)
        parts, labels = _chosen(parts, labels, number_of)
        plan = _plan(parts, labels, request)
        request.log(
            f"{request.name}: "
            + ", ".join(f"{len(parts[own]):,} {s}" for s, own in plan.items())
        )
        size = request.image_size or common_size(parts[plan["train"]], image)
        count = sum(len(parts[own]) for own in plan.values())
        cached = request.wants_cache(count, size)
        numbers = _numbers(plan, labels, request)
        readers = {
            own: EncodedImages(parts[own], image, size, request, cached)
            for own in set(plan.values())
        }
        shape = (*size, 3)
        data = (len(names), shape)
        listing = Listing(digest, class_names=names)
        return ClassificationData(
            self,
            names,
            shape,
            *(
                _indexed(readers[own], labels[own], numbers[name], data)
                for name in SPLITS
                for own in [plan.get(name, plan["train"])]
            ),
            listing=listing,
            reading=request.reading,
            changes=request.changes_in(listing),
        )

    def facts(self, data: ClassificationData) -> SourceFacts:
        """Returns what the images are called, and what is not read."""
        return dataclasses.replace(super().facts(data), notes=self._notes)


def _open(request) -> dict[str, Any]:
    """Returns the sets of images by the names of the splits."""
    try:
        import datasets
    except ImportError:
        raise ValueError(
            "Sets of Hugging Face need the package `datasets`: "
            f"`pip install 'keras-csg[hf]'`. Received: {request.name!r}"
        ) from None
    name = request.name
    saved = at_home(name.removeprefix(PREFIX) or "-")
    if any((saved / file).is_file() for file in SAVED):
        name = str(saved)
    if name == PREFIX:
        raise ValueError(f"`{PREFIX}` needs the name of a set behind it.")
    try:
        if name.startswith(PREFIX):
            path, _, config = name.removeprefix(PREFIX).partition(":")
            found = datasets.load_dataset(
                path, config or None, cache_dir=request.data_dir
            )
        else:
            found = datasets.load_from_disk(str(at_home(name)))
    except Exception as error:  # Of the network, of names, of damaged files.
        line = str(error).strip().split("\n")[0][:200]
        raise ValueError(f"Cannot load {name}: {line}") from error
    return {"train": found} if hasattr(found, "features") else dict(found)


def _chosen(parts, labels, number_of):
    """Returns the images of classes that are taken, and their new numbers."""
    parts, labels = dict(parts), dict(labels)
    for own in parts:
        had = labels[own] >= 0
        labels[own] = np.where(had, number_of[labels[own]], -1).astype("int32")
        taken = np.flatnonzero(~had | (labels[own] >= 0))
        if len(taken) < len(had):
            parts[own] = parts[own].select(taken)
            labels[own] = labels[own][taken]
    return parts, labels


def _columns(parts, request):
    """Returns the columns of the images and of the labels."""
    import datasets

    features = next(iter(parts.values())).features
    images = [n for n, f in features.items() if isinstance(f, datasets.Image)]
    classes = [
        n for n, f in features.items() if isinstance(f, datasets.ClassLabel)
    ]
    texts = [n for n in ("label", "labels", "class") if n in features]
    labels = [n for n in texts if n in classes] or classes or texts
    doubtful = len(classes) > 1 and not texts
    if request.labels is not None:
        doubtful = False
        labels = [n for n in features if n == request.labels]
        labels = [n for n in labels if _may_be_labels(features[n])]
    if len(images) != 1 or not labels or doubtful:
        wanted = request.labels and f"labels={request.labels!r} of "
        raise ValueError(
            "The data must have one column of images and one of labels, of "
            "classes or called label: `labels` names another. Received: "
            f"{wanted or ''}{request.name!r} with {', '.join(features)}"
        )
    return images[0], labels[0]


def _may_be_labels(feature):
    """Whether a column is of classes, texts or whole numbers."""
    if hasattr(feature, "names"):
        return True
    kind = str(getattr(feature, "dtype", ""))
    return kind.startswith(("string", "int", "uint", "large_string", "bool"))


def _class_names(parts, label):
    feature = next(iter(parts.values())).features[label]
    if hasattr(feature, "names"):
        return list(feature.names)
    found = {value for part in parts.values() for value in part[label]}
    return sorted(str(value) for value in found if not _is_missing(value))


def _is_missing(label):
    """Whether a label is none: empty, or the -1 of those kept secret."""
    return label in (None, "", -1)


def _labels(part, label, names):
    """Returns the number of each image's class, -1 for none."""
    values = list(part[label])
    if hasattr(part.features[label], "names"):
        return np.array([-1 if v is None else v for v in values], "int32")
    number_of = {name: number for number, name in enumerate(names)}
    return np.array(
        [-1 if _is_missing(v) else number_of[str(v)] for v in values], "int32"
    )


def _leave_out(parts, labels, image, request):
    """Takes the labels off images that are missing; says who has none."""
    import datasets

    notes = []
    for own, part in parts.items():
        if part.data.column(image).null_count:  # Else none need be looked at.
            encoded = part.cast_column(image, datasets.Image(decode=False))
            gone = [n for n, cell in enumerate(encoded[image]) if cell is None]
            labels[own][gone] = -1
        without = int(np.sum(labels[own] < 0))
        if without:
            notes.append(
                f"{request.name}: {without:,} of {len(part):,} images in {own} "
                "are missing or have no label: they are not read."
            )
            request.log(notes[-1])
    return notes


def _plan(parts, labels, request):
    """Says which of their splits each of ours is, if there is one."""
    asked = parse_splits(None if request.splits == NONE else request.splits)
    odd = [own for own in asked.values() if own not in parts]
    if odd:
        raise ValueError(
            f"`splits` must name some of {', '.join(parts)}. "
            f"Received: {odd[0]!r}"
        )
    usable = [own for own in parts if np.any(labels[own] >= 0)]
    plan = {split: own for split, own in asked.items() if own in usable} or {
        split: own
        for split in SPLITS
        if (own := named_for(split, usable)) is not None
    }
    if "train" not in plan:
        raise ValueError(
            "The data must have a split to train on. Received: "
            f"{request.name!r} with {', '.join(parts)}"
        )
    if not asked and "test" not in plan and "validation" in plan:
        plan["test"] = plan.pop("validation")
        request.log(f"{request.name}: {plan['test']} serves as the test split.")
    return plan


def _numbers(plan, labels, request):
    """Returns the numbers of each split's images in the set it is in.

    What is held out hangs on an image's number; every class is served.
    """
    numbers = {
        name: np.flatnonzero(labels[own] >= 0) for name, own in plan.items()
    }
    missing = [name for name in ("test", "validation") if name not in plan]
    if missing:
        request.log(f"{request.name}: {', '.join(missing)} held out of train.")
        train = numbers["train"]
        shares = assign_splits(
            [str(number) for number in train],
            labels[plan["train"]][train],
            request.validation_split,
            request.seed,
            with_test="test" in missing,
        )
        if "validation" not in missing:
            shares = np.where(shares == VALIDATION, TRAIN, shares)
        for name, place in (("test", TEST), ("validation", VALIDATION)):
            if name in missing:
                numbers[name] = train[shares == place]
        numbers["train"] = train[shares == TRAIN]
    for name in SPLITS:
        if not len(numbers[name]):
            raise ValueError(
                "There must be images to train, to validate and to test on. "
                f"Received: {request.name!r}, which leaves none for {name}"
            )
    return numbers


def _indexed(images, labels, own, data):
    from keras_csg.data.splits.indexed import IndexedSplit

    return IndexedSplit(images.read, labels, own, *data, cached=images.cached)
