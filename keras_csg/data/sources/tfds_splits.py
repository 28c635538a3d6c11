"""The three splits of a set of TensorFlow Datasets, cached or streamed."""

import hashlib
import json

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_csg.data.image_files import in_threads, now_and_then
from keras_csg.data.image_sizes import SMALL_IMAGE
from keras_csg.data.listing import SPLITS, Listing
from keras_csg.data.sources.base import ClassificationData, Source
from keras_csg.data.sources.split_names import (
    NONE,
    named_for,
    parse_splits,
    split_of,
)
from keras_csg.data.sources.tfds_builder import base_name, prepared_builder
from keras_csg.data.sources.tfds_features import image_features
from keras_csg.data.sources.tfds_slices import (
    bytes_of,
    check_slices,
    slices_of,
)
from keras_csg.data.splits.hashed import TEST_FRACTION, hold_out_blocks
from keras_csg.data.splits.holdout import hold_out, three_ways
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader
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
    features = image_features(builder, request.image_size, request.reading)
    plan = _plan_splits(builder, features, request)
    names = sorted(set(plan.values()))
    count = sum(builder.info.splits[name].num_examples for name in names)
    if request.shuffled:
        ranges = {}
    else:
        ranges = _held_out(builder, plan, request)
    if request.wants_cache(count, features.image_size):
        splits = _cached_splits(builder, features, plan, ranges, request)
    else:
        splits = _streamed_splits(builder, features, plan, ranges, request)
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


def _plan_splits(builder, features, request):
    """Says which TFDS split each of ours is, if it has one of its own."""
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
        if name is not None and _has_labels(builder, features, name)
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


def _has_labels(builder, features, name):
    """Whether the split has labels: some sets keep those of theirs secret."""
    examples = _encoded(builder, features, f"{name}[:1]")
    return all(label >= 0 for _, label in examples.as_numpy_iterator())


def _encoded(builder, features, split):
    """Returns a `Dataset` of encoded images and labels, in file order."""
    image, label = features.image_key, features.label_key
    examples = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(
            {image: True, label: True},
            decoders={image: tfds.decode.SkipDecoding()},
        ),
        # One file after the other: what is held out goes by that order.
        read_config=tfds.ReadConfig(
            try_autocache=False,
            skip_prefetch=True,
            interleave_cycle_length=1,
        ),
    )
    return examples.map(
        lambda example: (example[image], features.number(example[label])),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _cached_splits(builder, features, plan, ranges, request):
    arrays = {}
    for name in plan.values():
        request.log(f"Decoding {request.name} {name} into memory.")
        images, labels = _decode_all(builder, features, name, request.log)
        arrays[name] = cached_reader(images), labels
    if request.shuffled:
        parts = _by_shuffling(arrays[plan["train"]][1], plan, request)
    else:
        parts = {name: _numbers(ranges[name]) for name in ranges}
    for ours, name in plan.items():
        parts.setdefault(ours, np.arange(len(arrays[name][1])))
    return [
        IndexedSplit(
            *arrays[plan.get(ours, plan["train"])],
            parts[ours],
            len(features.class_names),
            (*features.image_size, 3),
            cached=True,
        )
        for ours in ("train", "validation", "test")
    ]


def _decode_all(builder, features, name, log):
    count = builder.info.splits[name].num_examples
    images = np.empty((count, *features.image_size, 3), "uint8")
    labels = np.empty(count, "int32")
    start = 0
    tell = now_and_then(lambda done: log(f"{done:,} of {count:,} images"))
    # Batches of encoded images: a call of Python for each would take longer.
    examples = _encoded(builder, features, name).batch(1024).prefetch(2)
    for encoded, batch_labels in examples.as_numpy_iterator():
        stop = start + len(batch_labels)
        # Threads take longer to take turns than such images to decode.
        small = max(features.image_size) <= SMALL_IMAGE
        each = map if small else in_threads
        decoded = list(each(features.decode_bytes, encoded))
        images[start:stop], labels[start:stop] = decoded, batch_labels
        start = stop
        tell(start)
    return images, labels


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


def _streamed_splits(builder, features, plan, ranges, request):
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
    plan = {
        **plan,
        **{name: slices_of(builder, train, ranges[name]) for name in ranges},
    }
    return [
        StreamedSplit(
            _encoded(builder, features, plan[ours]),
            features.decode,
            buffer_size,
            builder.info.splits[plan[ours]].num_examples,
            len(features.class_names),
            (*features.image_size, 3),
        )
        for ours in ("train", "validation", "test")
    ]


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
