"""The three splits of a set of TensorFlow Datasets, cached or streamed."""

import functools
import hashlib
import json
import threading

import numpy as np

from keras_csg.data.listing import SPLITS, Listing
from keras_csg.data.sources.base import ClassificationData, Source
from keras_csg.data.sources.split_names import (
    NONE,
    named_for,
    parse_splits,
    split_of,
)
from keras_csg.data.sources.tfds_builder import base_name, prepared_builder
from keras_csg.data.sources.tfds_examples import TfdsExamples
from keras_csg.data.sources.tfds_features import image_features
from keras_csg.data.sources.tfds_slices import (
    bytes_of,
    check_slices,
    slices_of,
)
from keras_csg.data.splits.hashed import TEST_FRACTION, hold_out_blocks
from keras_csg.data.splits.holdout import hold_out, three_ways
from keras_csg.data.splits.indexed import (
    IndexedSplit,
    reader_of,
)
from keras_csg.data.splits.streamed import StreamedSplit

BUFFER_BYTES = 2**29
"""Encoded images that the shuffle buffer of a streamed set may hold."""

# Digits and letters: mirrored, they are none or another one.
_CHARACTERS = {
    "binary_alpha_digits",
    "binarized_mnist",
    "cmaterdb",
    "emnist",
    "kmnist",
    "mnist",
    "mnist_corrupted",
    "omniglot",
    "svhn_cropped",
}


def load_tfds(source: Source) -> ClassificationData:
    """Loads the image classification set that a source is asked for.

    Raises:
        ValueError: if the set cannot be had, has no images with one class
            label each, or no train split.
    """
    request = source.request
    builder = prepared_builder(request.name, request.data_dir, request.log)
    features = image_features(builder, request)
    examples = TfdsExamples(builder, features, request)
    plan = _plan_splits(examples, request)
    if request.shuffled:
        ranges = {}
    else:
        ranges = _held_out(builder, plan, request)
    count = sum(examples.count(name) for name in sorted(set(plan.values())))
    if request.wants_cache(count, features.image_size):
        splits = _cached_splits(examples, plan, ranges, request)
    else:
        splits = _streamed_splits(examples, plan, ranges, request)
    listing = Listing(_digest(builder), class_names=features.class_names)
    return ClassificationData(
        source,
        features.class_names,
        (*features.image_size, 3),
        *splits,
        allow_flip=base_name(request.name) not in _CHARACTERS,
        listing=listing,
        reading=request.reading,
        changes=request.changes_in(listing),
    )


def _digest(builder):
    """Returns what a set is known by: its version, and what it is made of."""
    made_of = {
        name: [split.num_bytes, *split.shard_lengths]
        for name, split in sorted(builder.info.splits.items())
    }
    text = json.dumps([builder.info.full_name, made_of])
    return hashlib.sha256(text.encode()).hexdigest()


def _held_out(builder, plan, request):
    """Returns the ranges of train that each split without its own takes.

    They do not depend on whether the images are kept in memory.
    """
    shares = {"test": TEST_FRACTION, "validation": request.validation_split}
    shares = {name: s for name, s in shares.items() if name not in plan}
    if not shares:
        return {}
    count = builder.info.splits[plan["train"]].num_examples
    found = hold_out_blocks(count, shares, request.seed)
    if not all(found.values()):
        raise ValueError(
            "There must be images to train, to validate and to test on. "
            f"Received: {request.name!r} with {count:,} in {plan['train']}"
        )
    return found


def _plan_splits(examples, request):
    """Says which TFDS split each of ours is, if it has one of its own."""
    builder = examples.builder
    asked = parse_splits(None if request.splits == NONE else request.splits)
    if asked:
        check_slices(builder, asked)
        _log_plan(asked, request)
        return asked
    own = [name for name, split in builder.info.splits.items() if split]
    named = {split: named_for(split, own) for split in SPLITS}
    if named["train"] is None:
        raise ValueError(
            "The data must be a data set with a train split. Received: "
            f"{request.name!r} with splits {', '.join(own) or 'none'}"
        )
    plan = {"train": named["train"]}
    labelled = [
        name
        for name in (named["test"], named["validation"])
        if name is not None and examples.has_labels(name)
    ]
    plan.update(zip(("test", "validation"), labelled, strict=False))
    _log_plan(plan, request)
    return plan


def _log_plan(plan, request):
    if split_of(plan.get("test", "test")) == "validation":
        request.log(f"{request.name}: {plan['test']} serves as the test split.")
    missing = [name for name in ("test", "validation") if name not in plan]
    if missing:
        request.log(f"{request.name}: {', '.join(missing)} held out of train.")


def _cached_splits(examples, plan, ranges, request):
    arrays = {name: _by_number(examples, name) for name in plan.values()}
    if request.shuffled:
        parts = _by_shuffling(arrays[plan["train"]][1](), plan, request)
    else:
        parts = {name: _numbers(ranges[name]) for name in ranges}
    for ours, name in plan.items():
        parts.setdefault(ours, np.arange(examples.total(name)))
    found = []
    for ours in SPLITS:
        name = plan.get(ours, plan["train"])
        read, labels = arrays[name]
        numbers = parts[ours]
        if examples.features.some_left_out:
            numbers = numbers[examples.labels(name)[numbers] >= 0]
        _check_some(ours, len(numbers), request)
        shape = _shape(examples)
        found.append(IndexedSplit(read, labels, numbers, *shape, cached=True))
    return found


def _by_number(examples, name):
    """Returns a reader and labels by the number of an image in its split.

    Nothing is decoded before the first of either is asked for: whoever
    measures on the test split has no need of the images to train on.
    """

    @_once
    def decoded():
        images, labels = examples.decode(name)
        place = np.arange(len(labels))
        if examples.features.some_left_out:
            labels = examples.labels(name)
            place = np.cumsum(labels >= 0) - 1  # Only ours are kept.
        return images, labels, place

    def read(numbers):
        images, _, place = decoded()
        return images[place[numbers]]

    return reader_of(read), lambda: decoded()[1]


def _once(make):
    """Returns a callable that makes a value once, also among threads."""
    lock, made = threading.Lock(), functools.cache(make)

    def get():
        with lock:
            return made()

    return get


def _shape(examples):
    features = examples.features
    return len(features.class_names), (*features.image_size, 3)


def _check_some(ours, count, request):
    if not count:
        raise ValueError(
            "There must be images of the classes to train, to validate and to "
            f"test on. Received: {request.name!r}, which has none for {ours}"
        )


def _numbers(ranges):
    return np.concatenate([np.arange(*pair) for pair in ranges])


def _by_shuffling(labels, plan, request):
    """Returns the positions in train of each split, as before digests."""
    fraction, seed = request.validation_split, request.seed
    if "test" not in plan:
        parts = three_ways(labels, fraction, seed)
        return dict(zip(("train", "validation", "test"), parts, strict=True))
    if "validation" not in plan:
        parts = hold_out(labels, fraction, seed)
        return dict(zip(("train", "validation"), parts, strict=True))
    return {}


def _streamed_splits(examples, plan, ranges, request):
    builder = examples.builder
    if builder.info.disable_shuffling:
        request.log(
            f"{request.name} is stored in its original order: batches are not "
            "well mixed unless it is cached."
        )
    train = plan["train"]
    if request.shuffled:
        count = builder.info.splits[train].num_examples
        ranges = _ends(count, plan, request)
    buffer_size = BUFFER_BYTES // bytes_of(builder, train)
    found = []
    for ours in SPLITS:
        if ours in ranges:
            name = slices_of(builder, train, ranges[ours])
            count = examples.count(train, _numbers(ranges[ours]))
        else:
            name = plan[ours]
            count = examples.count(name)
        _check_some(ours, count, request)
        found.append(
            StreamedSplit(
                examples.encoded(name),
                examples.features.decode,
                buffer_size,
                count,
                *_shape(examples),
            )
        )
    return found


def _ends(count, plan, request):
    """Returns the ends of train, held out of streams before digests."""
    stop, ranges = count, {}
    if "test" not in plan:
        stop = count - round(count * TEST_FRACTION)
        ranges["test"] = [(stop, count)]
    if "validation" not in plan:
        start = stop - round(stop * request.validation_split)
        ranges["validation"] = [(start, stop)]
        ranges["train"] = [(0, start)]
    return ranges
