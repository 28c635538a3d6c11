"""How much each class counts in the loss."""

import csv
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_csg.data import ClassificationData
from keras_csg.data.sources.tables import delimiter_of, read_text, rows_of
from keras_csg.data.splits.share import Share
from keras_csg.files import at_home
from keras_csg.training.options import TrainingOptions
from keras_csg.untrusted.json_text import parse_json

if TYPE_CHECKING:
    import tensorflow as tf

BALANCED = "balanced"
LARGEST = 1_000_000


def class_weights_of(
    choice: str | Mapping[str, float], data: ClassificationData
) -> np.ndarray:
    """Returns the weight of each class, `(classes,)` of float32.

    Args:
        choice: `"balanced"`: images over classes and a class's images, as in
            scikit-learn, so that all classes count alike; a dict from names
            to weights; or the path of a file: JSON, such a table, or CSV with
            the columns `class` and `weight`.
        data: `ClassificationData`.

    Raises:
        ValueError: if the file cannot be read, names other classes than the
            data have, or a weight is no number of at least 0.
    """
    if choice == BALANCED:
        counts = np.asarray(data.train.class_counts, "float64")
        weights = counts.sum() / (len(counts) * np.maximum(counts, 1))
        return weights.astype("float32")
    if isinstance(choice, Mapping):
        source = "`class_weights`"
        found = _weights_of(choice.items(), source)
    else:
        path = at_home(choice)
        source, found = str(path), _weights_of(_read(path), path)
    names = data.class_names
    wrong = [
        f"{words} {', '.join(odd[:4])}{', ...' * (len(odd) > 4)}"
        for words, odd in (
            ("without", sorted(set(names) - set(found))),
            ("with", sorted(map(str, set(found) - set(names)))),
        )
        if odd
    ]
    if wrong:
        raise ValueError(
            "`class_weights` must have a weight of each class, and of nothing "
            f"else. Received: {source} {' and '.join(wrong)}"
        )
    if not any(found.values()):
        raise ValueError(
            f"`class_weights` must not all be 0. Received: {source}"
        )
    return np.array([found[name] for name in names], "float32")


def chosen_weights(
    choice: str | Mapping[str, float] | None, data: ClassificationData
) -> tuple[str | dict[str, float] | None, np.ndarray | None]:
    """Returns a choice, as it can be kept, and the weights.

    Args:
        choice: see `class_weights_of`; `None` for no weights.
        data: `ClassificationData`.

    Raises:
        ValueError: see `class_weights_of`, and where an image may have
            several classes.
    """
    if choice is None:
        return None, None
    if data.multi_label:
        raise ValueError(
            "`class_weights` say how much an image of one class counts: leave "
            f"them out with `multi_label`. Received: class_weights={choice!r}"
        )
    weights = class_weights_of(choice, data)
    if isinstance(choice, Mapping):
        return {name: float(choice[name]) for name in choice}, weights
    if choice != BALANCED:  # Found again from any directory.
        choice = os.path.abspath(os.path.expanduser(choice))
    return choice, weights


def logit_offsets(
    adjustment: float | None, data: ClassificationData
) -> list[float] | None:
    """Returns what `LogitCrossentropy` adds to each class's logit.

    Args:
        adjustment: float, times the logarithm of a class's share of the
            training images; `None` for nothing to add.
        data: `ClassificationData`.
    """
    if adjustment is None:
        return None
    counts = np.maximum(data.train.class_counts, 1).astype("float64")
    return (adjustment * np.log(counts / counts.sum())).tolist()


def say_weights(weights: np.ndarray, class_names: list[str]) -> str:
    """Returns a line on the least and the largest weight."""
    least, most = int(weights.argmin()), int(weights.argmax())
    return (
        f"Classes count by their weights: {weights[least]:.3g} "
        f"({class_names[least]}) to {weights[most]:.3g} ({class_names[most]})."
    )


def with_weights(
    batches: "tf.data.Dataset", weights: np.ndarray
) -> "tf.data.Dataset":
    """Adds to batches what each of their images counts.

    An image of several classes, as of MixUp, counts by its shares of them.

    Args:
        batches: `tf.data.Dataset` of images and labels, hard or soft, and of
            whether a batch is whole where there are several processes.
        weights: float32 array of shape `(classes,)`.
    """
    import tensorflow as tf

    def weigh(images, labels, *whole):
        if len(labels.shape) == 2:
            counts = tf.linalg.matvec(labels, weights)
        else:
            counts = tf.gather(weights, labels)
        return images, labels, counts, *whole

    return batches.map(weigh, num_parallel_calls=tf.data.AUTOTUNE)


def training_batches_of(
    options: TrainingOptions,
    data: ClassificationData,
    first_epoch: int,
    weights: np.ndarray | None,
    share: Share | None,
) -> "tf.data.Dataset":
    """Returns the batches of a run, weighted where its classes are.

    Args:
        options: `TrainingOptions`, filled in.
        data: its `ClassificationData`.
        first_epoch: int. Epochs that are done.
        weights: as of `chosen_weights`.
        share: `Share` of this process, `None` of a process alone.
    """
    batches = data.train.training_batches(
        options.batch_size or 1,
        seed=options.seed,
        first_epoch=first_epoch,
        epochs=options.epochs or 1,
        augmentation=options.augment or "none",
        sampling=options.sampling,
        share=share,
    )
    return batches if weights is None else with_weights(batches, weights)


def _read(path):
    """Returns names and weights as a file has them."""
    text = read_text(path)
    if path.suffix == ".json":
        try:
            rows = parse_json(text, pairs=True)
            rows = [(name, value) for name, value in rows]
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{path} must be a JSON table from class names to weights: "
                f"{error}"
            ) from error
    else:
        lines = text.splitlines()
        mark = delimiter_of(lines)
        reader = csv.DictReader(lines, delimiter=mark, strict=True)
        if not {"class", "weight"} <= set(reader.fieldnames or ()):
            raise ValueError(
                f"{path} must have the columns class and weight. Received: "
                f"{', '.join(reader.fieldnames or ()) or 'nothing'}"
            )
        rows = [(row["class"], row["weight"]) for row in rows_of(reader, path)]
    return rows


def _weights_of(rows, source):
    weights: dict[str, float] = {}
    for name, value in rows:
        if name in weights:
            raise ValueError(f"{source} must name each class once: {name!r}.")
        weights[name] = _weight(source, name, value)
    return weights


def _weight(source, name, value):
    try:
        weight = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not 0 <= weight <= LARGEST:
        raise ValueError(
            f"{source} must give each class a number from 0 to {LARGEST:,}. "
            f"Received: {name!r} with {value!r}"
        )
    return weight
