"""The three splits of a set of TensorFlow Datasets, cached or streamed."""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_csg.data.sources.base import ClassificationData, Source
from keras_csg.data.sources.tfds_builder import base_name, prepared_builder
from keras_csg.data.sources.tfds_features import image_features
from keras_csg.data.splits.holdout import TEST_FRACTION, hold_out, three_ways
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
    features = image_features(builder, request.image_size)
    plan = _plan_splits(builder, features, request)
    names = sorted({part.split("[")[0] for part in plan.values()})
    count = sum(builder.info.splits[name].num_examples for name in names)
    if request.wants_cache(count, features.image_size):
        splits = _cached_splits(builder, features, plan, request)
    else:
        splits = _streamed_splits(builder, features, plan, request)
    return ClassificationData(
        source,
        features.class_names,
        (*features.image_size, 3),
        *splits,
        allow_flip=base_name(request.name) not in _CHARACTERS,
    )


def _plan_splits(builder, features, request):
    """Says which TFDS split each of ours is, if it has one of its own."""
    own = [name for name, split in builder.info.splits.items() if split]
    if "train" not in own:
        raise ValueError(
            "`name` must be a data set with a train split. Received: "
            f"name={request.name!r} with splits {', '.join(own) or 'none'}"
        )
    plan = {"train": "train"}
    labelled = [name for name in ("test", "validation") if name in own]
    labelled = [n for n in labelled if _has_labels(builder, features, n)]
    plan.update(zip(("test", "validation"), labelled, strict=False))
    _log_plan(plan, request)
    return plan


def _log_plan(plan, request):
    if plan.get("test") == "validation":
        request.log(f"{request.name}: validation serves as the test split.")
    missing = [name for name in ("test", "validation") if name not in plan]
    if missing:
        request.log(f"{request.name}: {', '.join(missing)} held out of train.")


def _has_labels(builder, features, name):
    """Whether the split has labels: some sets keep those of theirs secret."""
    examples = _encoded(builder, features, f"{name}[:1]")
    return all(label >= 0 for _, label in examples.as_numpy_iterator())


def _encoded(builder, features, split):
    """Returns a `Dataset` of encoded images and labels, in file order."""
    return builder.as_dataset(
        split=split,
        shuffle_files=False,
        as_supervised=True,
        decoders={features.image_key: tfds.decode.SkipDecoding()},
        read_config=tfds.ReadConfig(try_autocache=False, skip_prefetch=True),
    )


def _cached_splits(builder, features, plan, request):
    arrays = {}
    for name in plan.values():
        request.log(f"Decoding {request.name} {name} into memory.")
        images, labels = _decode_all(builder, features, name)
        arrays[name] = cached_reader(images), labels
    parts = _parts(arrays["train"][1], plan, request)
    for ours, name in plan.items():
        parts.setdefault(ours, np.arange(len(arrays[name][1])))
    return [
        IndexedSplit(
            *arrays[plan.get(ours, "train")],
            parts[ours],
            len(features.class_names),
            (*features.image_size, 3),
            cached=True,
        )
        for ours in ("train", "validation", "test")
    ]


def _decode_all(builder, features, name):
    count = builder.info.splits[name].num_examples
    images = np.empty((count, *features.image_size, 3), "uint8")
    labels = np.empty(count, "int32")
    examples = _encoded(builder, features, name).map(
        lambda image, label: (features.decode(image), label),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    start = 0
    for batch_images, batch_labels in examples.batch(256).prefetch(2):
        stop = start + len(batch_labels)
        images[start:stop], labels[start:stop] = batch_images, batch_labels
        start = stop
    return images, labels


def _parts(labels, plan, request):
    """Returns the positions in train of each split taken from it."""
    fraction, seed = request.validation_split, request.seed
    if "test" not in plan:
        parts = three_ways(labels, fraction, seed)
        return dict(zip(("train", "validation", "test"), parts, strict=True))
    if "validation" not in plan:
        parts = hold_out(labels, fraction, seed)
        return dict(zip(("train", "validation"), parts, strict=True))
    return {}


def _streamed_splits(builder, features, plan, request):
    """Held-out parts are the ends of train: labels are not at hand here."""
    if builder.info.disable_shuffling:
        request.log(
            f"{request.name} is stored in its original order: neither held-out "
            "parts nor batches are well mixed unless it is cached."
        )
    stored = builder.info.splits["train"]
    stop = count = stored.num_examples
    plan = dict(plan)
    if "test" not in plan:
        stop = count - round(count * TEST_FRACTION)
        plan["test"] = f"train[{stop}:]"
    if "validation" not in plan:
        start = stop - round(stop * request.validation_split)
        plan["validation"] = f"train[{start}:{stop}]"
        plan["train"] = f"train[:{start}]"
    buffer_size = BUFFER_BYTES // max(1, stored.num_bytes // max(1, count))
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
