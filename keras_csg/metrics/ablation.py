from typing import NamedTuple

import numpy as np

from keras_csg.metrics.head import Head, check_samples

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

    def figures(self) -> dict[str, float]:
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


def ablation(features: np.ndarray, labels: np.ndarray, head: Head) -> Ablation:
    """Removes each class's own filters in turn, then keeps only them.

    A class's own filters are those fully open to it. A class without any
    counts as well: removing nothing changes nothing, keeping nothing leaves
    the bias. Works from the features, so the backbone runs once; the memory
    taken does not grow with the samples.

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
    own = [np.flatnonzero(row) for row in head.own_filters()]
    right = np.zeros((2, classes, classes), "int64")
    step = max(1, BLOCK_BYTES // (classes * features.itemsize))
    for start in range(0, len(labels), step):
        block = slice(start, start + step)
        _count_right(features[block], labels[block], head, own, right)
    sizes = np.bincount(labels, minlength=classes)
    with np.errstate(invalid="ignore"):  # No samples: 0 / 0.
        return Ablation(*(right / sizes))


def ablation_confusion(
    features: np.ndarray, labels: np.ndarray, head: Head, label: int
) -> tuple[np.ndarray, np.ndarray]:
    """Counts confusions without, and with only, the filters of one class.

    `ablation` gives the diagonals of these matrices for all classes; here is
    one class in whole: where its samples go when its filters are gone.

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
    own = head.own_filters()[label]
    removed, kept = (head.logits(features * mask) for mask in (~own, own))
    return _confusion(labels, removed), _confusion(labels, kept)


def _confusion(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Counts true classes down and predicted ones across."""
    classes = logits.shape[1]
    pairs = labels.astype(np.intp) * classes + logits.argmax(axis=-1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _count_right(features, labels, head, own, right):
    """Adds a block's right answers to `right` `(2, classes, classes)`."""
    logits = head.logits(features)
    part, rest = np.empty_like(logits), np.empty_like(logits)
    for label, filters in enumerate(own):
        # Removed and kept are two sides of one product over few filters.
        np.matmul(features[:, filters], head.kernel[filters], out=part)
        np.subtract(logits, part, out=rest)
        part += head.bias
        for counts, left in zip(right, (rest, part), strict=True):
            hits = labels[left.argmax(axis=-1) == labels]
            counts[label] += np.bincount(hits, minlength=head.num_classes)
