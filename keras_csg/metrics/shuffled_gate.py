"""A control for the question whether the gate only leaks the label."""

from typing import NamedTuple

import numpy as np

from keras_csg.metrics.head import Head, check_samples
from keras_csg.metrics.path_accuracy import share_right


class ShuffledGate(NamedTuple):
    """What a classifier does with the gate rows of other classes.

    Attributes:
        class_specific_accuracy: float in `[0, 1]`, of the class-specific head.
        gated_accuracy: float in `[0, 1]`. Share of samples that the gated path
            still classifies right through another class's row.
        row_accuracy: float in `[0, 1]`. Share that it puts into the class
            whose row it was given.
    """

    class_specific_accuracy: float
    gated_accuracy: float
    row_accuracy: float


def shuffled_gate(
    features: np.ndarray,
    labels: np.ndarray,
    head: Head,
    *,
    shuffles: int = 10,
    seed: int = 0,
) -> ShuffledGate:
    """Measures a trained classifier with its gate rows shuffled.

    No class keeps its row. The figures are means over several shuffles.

    - `class_specific_accuracy` falls to about chance, `1 / classes`, if a
      class is known by its own filters, and stays if the gate does nothing.
    - `row_accuracy` near 1 says that the gated path answers with the class of
      the row it is given, whatever the image shows. Its accuracy with the
      labels' rows is then the label's doing and says nothing about filters;
      the class-specific head, which takes no label, is the one to judge by.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        head: `Head` with a gate.
        shuffles: int, at least 1. Number of shuffles.
        seed: int. Seed of the first; those after it have the next ones.

    Returns:
        `ShuffledGate`.

    Raises:
        ValueError: if an argument is not as described, or there is only one
            class.
    """
    if shuffles < 1:
        raise ValueError(
            f"`shuffles` must be at least 1. Received: shuffles={shuffles}"
        )
    features, labels = check_samples(features, labels, head)
    results = [
        _shuffled_once(features, labels, head, seed + i)
        for i in range(shuffles)
    ]
    return ShuffledGate(*(float(v) for v in np.mean(results, axis=0)))


def _shuffled_once(features, labels, head, seed):
    rows = shuffled_rows(head.num_classes, seed)
    given = rows[labels]  # The class whose row each sample gets.
    specific = head.class_specific_logits(features, rows)
    gated = head.gated_logits(features, given)
    return (
        share_right(labels, specific),
        share_right(labels, gated),
        share_right(given, gated),
    )


def shuffled_rows(num_classes: int, seed: int = 0) -> np.ndarray:
    """Returns a random order of the classes that leaves none in its place.

    Args:
        num_classes: int, at least 2.
        seed: int.

    Returns:
        int array of shape `(classes,)`: one cycle through all classes.

    Raises:
        ValueError: if there are fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(
            "`num_classes` must be at least 2: one row cannot be shuffled. "
            f"Received: num_classes={num_classes}"
        )
    order = np.random.default_rng(seed).permutation(num_classes)
    rows = np.empty_like(order)
    rows[order] = np.roll(order, 1)
    return rows
