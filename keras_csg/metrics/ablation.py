from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from keras_csg.metrics.head import Head, check_samples

# Bytes of a block of logits: such that it stays in the processor's cache.
BLOCK_BYTES = 2**18
CLOSED = 0.01
"""Entries of the gate below it are taken for zero: dust that a penalty leaves,
which would make every class's part as wide as the network."""


class Ablation(NamedTuple):
    """Recall of every class without, and with only, one class's filters.

    The diagonals of the `(classes, classes, classes)` confusion matrices: row
    `c` is the network that lost (or kept) the filters of class `c`, column `j`
    the share of the samples of class `j` that it gets right.

    Attributes:
        removed: array of shape `(classes, classes)` in `[0, 1]`; NaN in the
            columns of classes without samples.
        kept: array of the same shape and range.
        removed_probability: array of shape `(classes,)` in `[0, 1]`: the mean
            probability of a class, of its samples, without its filters. Where
            little is left to tell classes by, a recall is of the biases.
        kept_probability: array of the same shape and range, with its filters
            alone.
    """

    removed: np.ndarray
    kept: np.ndarray
    removed_probability: np.ndarray
    kept_probability: np.ndarray

    def figures(self) -> dict[str, float]:
        """Returns the means, a flat dict of floats in `[0, 1]`.

        Classes without samples are left out. `removed_own_recall` and
        `removed_own_probability` are of the class whose filters were removed:
        0 for a perfect network, chance, `1 / classes`, where the rest tells
        nothing, and those of the whole network where it tells as much.
        `removed_other_recall` is of all others, which a perfect network does
        not change. `kept_own_recall` and `kept_own_probability` are 1 for
        one, `kept_other_recall` is 0.
        """
        own = np.eye(len(self.removed), dtype=bool)
        means: dict[str, np.ndarray] = {}
        for name in ("removed", "kept"):
            recall = getattr(self, name)
            probability = getattr(self, f"{name}_probability")
            means |= {
                f"{name}_own_recall": recall[own],
                f"{name}_other_recall": recall[~own],
                f"{name}_own_probability": probability,
            }
        return {name: float(np.nanmean(v)) for name, v in means.items()}


def ablation(features: np.ndarray, labels: np.ndarray, head: Head) -> Ablation:
    """Removes each class's filters in turn, then keeps only them.

    By as much as each is open to the class: what is left is `(1 - G[c]) a`,
    what is kept `G[c] a`, but that entries below `CLOSED` count as zero. A
    class without filters counts as well: removing nothing changes nothing,
    keeping nothing leaves the bias. Works from the features, so the backbone
    runs once; the memory taken does not grow with the samples.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        head: `Head` with a gate.

    Returns:
        `Ablation`.

    Raises:
        ValueError: if an argument is not as described.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    features, labels = check_samples(features, labels, head)
    classes = head.num_classes
    opened = _open_filters(head)
    right = np.zeros((2, classes, classes), "int64")
    probability = np.zeros((2, classes))
    step = max(1, BLOCK_BYTES // (classes * features.itemsize))
    for start in range(0, len(labels), step):
        block = slice(start, start + step)
        _add_block(
            features[block], labels[block], head, opened, right, probability
        )
    sizes = np.bincount(labels, minlength=classes)
    with np.errstate(invalid="ignore"):  # No samples: 0 / 0.
        return Ablation(*(right / sizes), *(probability / sizes))


def ablation_confusion(
    features: np.ndarray, labels: np.ndarray, head: Head, label: int
) -> tuple[np.ndarray, np.ndarray]:
    """Counts confusions without, and with only, the filters of one class.

    By as much as each is open to it. `ablation` gives the diagonals of these
    matrices for all classes; here is one class in whole: where its samples go
    when its filters are gone.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        head: `Head` with a gate.
        label: int in `[0, classes)`, the class whose filters are removed or
            kept.

    Returns:
        A tuple of two int arrays of shape `(classes, classes)`: the confusion
        matrices, true classes down and predicted ones across, of the network
        without the class's filters and with only them.

    Raises:
        ValueError: if an argument is not as described.
    """
    features, labels = check_samples(features, labels, head)
    if not 0 <= label < head.num_classes:
        raise ValueError(
            f"`label` must be in [0, {head.num_classes}). "
            f"Received: label={label}"
        )
    row = open_row(head, label)
    removed, kept = (head.logits(features * part) for part in (1 - row, row))
    return _confusion(labels, removed), _confusion(labels, kept)


def _confusion(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Counts true classes down and predicted ones across."""
    classes = logits.shape[1]
    pairs = labels.astype(np.intp) * classes + logits.argmax(axis=-1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def open_row(head: Head, label: int) -> np.ndarray:
    """Returns a class's row of the gate, without what is hardly open.

    Args:
        head: `Head` with a gate.
        label: int. The class.

    Returns:
        array of shape `(filters,)`, zero where the gate is below `CLOSED`.
    """
    row = head.require_gate()[label]
    return np.where(row < CLOSED, 0, row)


def _open_filters(head):
    """Returns of each class its filters, and how open they are to it."""
    rows = [open_row(head, label) for label in range(head.num_classes)]
    return [(np.flatnonzero(row), row[row > 0]) for row in rows]


def _add_block(features, labels, head, opened, right, probability):
    """Adds a block's right answers and its true classes' probabilities.

    To `right` `(2, classes, classes)` and `probability` `(2, classes)`.
    """
    logits = head.logits(features)
    part, rest = np.empty_like(logits), np.empty_like(logits)
    for label, (filters, shares) in enumerate(opened):
        # Removed and kept are two sides of one product over few filters.
        own_features = features[:, filters] * shares
        np.matmul(own_features, head.kernel[filters], out=part)
        np.subtract(logits, part, out=rest)
        part += head.bias
        own = labels == label
        for side, left in enumerate((rest, part)):
            hits = labels[left.argmax(axis=-1) == labels]
            right[side, label] += np.bincount(hits, minlength=head.num_classes)
            probability[side, label] += softmax(left[own], -1)[:, label].sum()
