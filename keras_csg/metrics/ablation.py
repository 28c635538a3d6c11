from typing import NamedTuple

import numpy as np
from sklearn.metrics import confusion_matrix

from keras_csg.metrics.checks import (
    check_features,
    check_gate,
    check_head,
    check_labels,
)
from keras_csg.metrics.gates import own_filters

# Bytes of a block of logits: such that it stays in the processor's cache.
BLOCK_BYTES = 2**18


class Ablation(NamedTuple):
    """Recall of every class without, and with only, one class's filters.

    The diagonals of the `(classes, classes, classes)` confusion matrices: row
    `c` is the network that lost (or kept) the filters of class `c`, column `j`
    the share of the samples of class `j` that it gets right.

    Attributes:
        removed: array of shape `(classes, classes)` in `[0, 1]`; NaN in the
            columns of classes without samples.
        kept: array of the same shape and range.
    """

    removed: np.ndarray
    kept: np.ndarray

    def figures(self):
        """Returns the means, a flat dict of floats in `[0, 1]`.

        `removed_own_recall` and `kept_own_recall` are of the class whose
        filters were removed or kept, `removed_other_recall` and
        `kept_other_recall` of all others. Classes without samples are left
        out.
        """
        own = np.eye(len(self.removed), dtype=bool)
        return {
            f"{name}_{whose}_recall": float(np.nanmean(recall[where]))
            for name, recall in self._asdict().items()
            for whose, where in {"own": own, "other": ~own}.items()
        }


def ablation(features, labels, kernel, bias, gate_matrix):
    """Removes each class's own filters in turn, then keeps only them.

    A class's own filters are those fully open to it. A class without any
    counts as well: removing nothing changes nothing, keeping nothing leaves
    the bias. Works from the features, so the backbone runs once; the memory
    taken does not grow with the samples.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        kernel: array of shape `(filters, classes)`.
        bias: array of shape `(classes,)`.
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.

    Returns:
        `Ablation`.

    Raises:
        ValueError: if an argument is not as described.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 4
    """
    features = check_features(features)
    kernel, bias = check_head(kernel, bias, features.shape[1])
    labels = check_labels(labels, len(features), len(bias))
    own = own_filters(check_gate(gate_matrix, kernel.shape[::-1]))
    own = [np.flatnonzero(row) for row in own]
    right = np.zeros((2, len(bias), len(bias)), "int64")
    step = max(1, BLOCK_BYTES // (len(bias) * features.itemsize))
    for start in range(0, len(labels), step):
        block = slice(start, start + step)
        _count_right(features[block], labels[block], kernel, bias, own, right)
    sizes = np.bincount(labels, minlength=len(bias))
    with np.errstate(invalid="ignore"):  # No samples: 0 / 0.
        return Ablation(*(right / sizes))


def ablation_confusion(features, labels, kernel, bias, gate_matrix, label):
    """Counts confusions without, and with only, the filters of one class.

    `ablation` gives the diagonals of these matrices for all classes; here is
    one class in whole: where its samples go when its filters are gone.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        kernel: array of shape `(filters, classes)`.
        bias: array of shape `(classes,)`.
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        label: int in `[0, classes)`, the class whose filters are removed or
            kept.

    Returns:
        A tuple of two int arrays of shape `(classes, classes)`: the confusion
        matrices, true classes down and predicted ones across, of the network
        without the class's filters and with only them.

    Raises:
        ValueError: if an argument is not as described.
    """
    features = check_features(features)
    kernel, bias = check_head(kernel, bias, features.shape[1])
    labels = check_labels(labels, len(features), len(bias))
    if not 0 <= label < len(bias):
        raise ValueError(
            f"`label` must be in [0, {len(bias)}). Received: label={label}"
        )
    own = own_filters(check_gate(gate_matrix, kernel.shape[::-1]))[label]
    return tuple(
        confusion_matrix(
            labels,
            ((features * mask) @ kernel + bias).argmax(axis=-1),
            labels=np.arange(len(bias)),
        )
        for mask in (~own, own)
    )


def _count_right(features, labels, kernel, bias, own, right):
    """Adds a block's right answers to `right` `(2, classes, classes)`."""
    logits = features @ kernel + bias
    part, rest = np.empty_like(logits), np.empty_like(logits)
    for label, filters in enumerate(own):
        # Removed and kept are two sides of one product over few filters.
        np.matmul(features[:, filters], kernel[filters], out=part)
        np.subtract(logits, part, out=rest)
        part += bias
        for counts, left in zip(right, (rest, part), strict=True):
            hits = labels[left.argmax(axis=-1) == labels]
            counts[label] += np.bincount(hits, minlength=len(bias))
