"""Image sets of Hugging Face: by name, or from where they were saved."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_csg.data.image_files import in_threads, now_and_then, probe_size
from keras_csg.data.image_sizes import DEFAULT_SIZE
from keras_csg.data.listing import SPLITS, Listing
from keras_csg.data.sources.base import ClassificationData, Source
from keras_csg.data.sources.registry import register_source
from keras_csg.data.sources.split_names import NONE, parse_splits, split_of
from keras_csg.data.splits.hashed import TEST_FRACTION, hold_out_blocks

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

    takes = ("splits",)

    @classmethod
    def means(cls, name: str, data_dir: str | None) -> bool:
        """Whether it is such a name or such a folder."""
        if name.startswith(PREFIX):
            return True
        folder = Path(name).expanduser()
        return any((folder / file).is_file() for file in SAVED)

    def lasting_name(self) -> str:
        """Returns a folder's absolute path; names are as they were."""
        name = self.request.name
        if name.startswith(PREFIX):
            return name
        return os.path.abspath(Path(name).expanduser())

    def load(self) -> ClassificationData:
        """Loads the three splits.

        Raises:
            ValueError: if the set cannot be had, has no images with one label
                each, or no split to train on.
        """
        request = self.request
        parts = _open(request)
        image, label = _columns(parts, request.name)
        names = _class_names(parts, label)
        plan = _plan(parts, request)
        request.log(
            f"{request.name}: "
            + ", ".join(f"{len(parts[own]):,} {s}" for s, own in plan.items())
        )
        size = request.image_size or _common_size(parts[plan["train"]], image)
        count = sum(len(parts[own]) for own in plan.values())
        cached = request.wants_cache(count, size)
        numbers = _numbers(parts, plan, request)
        readers = {
            own: _Images(parts[own], image, size, request, cached)
            for own in set(plan.values())
        }
        splits = [
            _split(parts, plan.get(name, plan["train"]), name, numbers, readers)
            for name in SPLITS
        ]
        shape = (*size, 3)
        listing = Listing(digest=_digest(parts))
        return ClassificationData(
            self,
            names,
            shape,
            *(
                _indexed(read, _labels(part, label, names), own, names, shape)
                for read, part, own in splits
            ),
            listing=listing,
            reading=request.reading,
            changes=_changes(request, listing),
        )


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
    try:
        if name.startswith(PREFIX):
            path, _, config = name.removeprefix(PREFIX).partition(":")
            found = datasets.load_dataset(
                path, config or None, cache_dir=request.data_dir
            )
        else:
            found = datasets.load_from_disk(str(Path(name).expanduser()))
    except Exception as error:  # Of the network, of names, of damaged files.
        line = str(error).strip().split("\n")[0][:200]
        raise ValueError(f"Cannot load {name}: {line}") from error
    return {"train": found} if hasattr(found, "features") else dict(found)


def _columns(parts, name):
    """Returns the columns of the images and of the labels."""
    import datasets

    features = next(iter(parts.values())).features
    images = [n for n, f in features.items() if isinstance(f, datasets.Image)]
    classes = [
        n for n, f in features.items() if isinstance(f, datasets.ClassLabel)
    ]
    texts = [n for n in ("label", "labels", "class") if n in features]
    labels = [n for n in texts if n in classes] or classes or texts
    if len(images) != 1 or not labels or (len(classes) > 1 and not texts):
        raise ValueError(
            "The data must have one column of images and one of labels. "
            f"Received: {name!r} with {', '.join(features)}"
        )
    return images[0], labels[0]


def _class_names(parts, label):
    feature = next(iter(parts.values())).features[label]
    if hasattr(feature, "names"):
        return list(feature.names)
    found = {str(value) for part in parts.values() for value in part[label]}
    return sorted(found)


def _labels(part, label, names):
    """Returns the number of each image's class, -1 for none."""
    values = list(part[label])
    if hasattr(part.features[label], "names"):
        return np.array([-1 if v is None else v for v in values], "int32")
    number_of = {name: number for number, name in enumerate(names)}
    return np.array([number_of[str(value)] for value in values], "int32")


def _plan(parts, request):
    """Says which of their splits each of ours is, if there is one."""
    asked = parse_splits(None if request.splits == NONE else request.splits)
    odd = [own for own in asked.values() if own not in parts]
    if odd:
        raise ValueError(
            f"`splits` must name some of {', '.join(parts)}. "
            f"Received: {odd[0]!r}"
        )
    plan = asked or {
        split: min(found, key=lambda own: (own != split, own))
        for split in SPLITS
        if (found := [own for own in parts if split_of(own) == split])
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


def _numbers(parts, plan, request):
    """Returns the numbers of the images held out of train, by split."""
    shares = {"test": TEST_FRACTION, "validation": request.validation_split}
    shares = {name: s for name, s in shares.items() if name not in plan}
    if not shares:
        return {}
    request.log(f"{request.name}: {', '.join(shares)} held out of train.")
    count = len(parts[plan["train"]])
    return {
        name: np.concatenate([np.arange(*pair) for pair in pairs])
        for name, pairs in hold_out_blocks(count, shares, request.seed).items()
    }


def _split(parts, own, name, numbers, readers):
    part = parts[own]
    return readers[own].read, part, numbers.get(name, np.arange(len(part)))


def _indexed(read, labels, own, names, shape):
    from keras_csg.data.splits.indexed import IndexedSplit

    own = own[labels[own] >= 0]
    cached = not hasattr(read, "streamed")
    return IndexedSplit(read, labels, own, len(names), shape, cached=cached)


class _Images:
    """The images of a split: in memory, or decoded as they are asked for."""

    def __init__(self, part, column, size, request, cached):
        import datasets
        import tensorflow as tf

        from keras_csg.data.splits.indexed import cached_reader

        self._encoded = part.cast_column(column, datasets.Image(decode=False))
        self._column = column
        self._size, self._reading = size, request.reading
        if cached:
            self.read = cached_reader(self._all(request))
            return

        def read(numbers):
            return tf.numpy_function(
                self._some, [numbers], tf.uint8, stateful=False
            )

        read.streamed = True  # type: ignore[attr-defined]
        self.read = read

    def _all(self, request):
        count = len(self._encoded)
        images = np.empty((count, *self._size, 3), "uint8")
        tell = now_and_then(
            lambda done: request.log(f"{done:,} of {count:,} images")
        )
        for start in range(0, count, 1024):
            stop = min(start + 1024, count)
            images[start:stop] = self._some(range(start, stop))
            tell(stop)
        return images

    def _some(self, numbers):
        numbers = [int(number) for number in numbers]
        cells = self._encoded[numbers][self._column]
        pairs = zip(numbers, cells, strict=True)
        return np.stack(in_threads(lambda pair: self._decoded(*pair), pairs))

    def _decoded(self, number, cell):
        try:
            return self._reading.decode(_file(cell), self._size)
        except Exception as error:  # Pillow raises many kinds.
            raise ValueError(
                f"Cannot read image {number} of the set: {error}"
            ) from error


def _file(cell):
    """Returns the stream or the path of an encoded image."""
    return io.BytesIO(cell["bytes"]) if cell["bytes"] else cell["path"]


def _common_size(part, column):
    """Returns the size of the images, if the first have the same."""
    import datasets

    encoded = part.cast_column(column, datasets.Image(decode=False))
    first = encoded[: min(256, len(encoded))][column]
    sizes = {probe_size(_file(cell)) for cell in first}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None or max(size) > max(DEFAULT_SIZE):
        return DEFAULT_SIZE
    return size


def _digest(parts):
    """Returns what a set is known by: its columns, and how much it has."""
    made_of = {
        name: [len(part), str(part.features)]
        for name, part in sorted(parts.items())
    }
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()


def _changes(request, listing):
    if request.known is None or request.known.digest == listing.digest:
        return ""
    changes = f"{request.name} is not the set that the run was trained on."
    request.log(changes)
    return changes
