"""How well the classes of images that may have several are told."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from keras_csg.metrics.ablation import Ablation, open_row
from keras_csg.metrics.checks import check_features, check_multi_hot
from keras_csg.metrics.head import Head, check_samples

THRESHOLD = 0.0
"""Logit from which a class is told: a probability of 0.5."""


def average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns the average precision of each class, by scikit-learn.

    Of a class it is 1 where all its samples have higher scores than the
    others, and about the class's share of the samples by chance.

    Args:
        labels: zeros and ones of shape `(samples, classes)`.
        scores: array of that shape: logits, or whatever else ranks samples.

    Returns:
        float64 array of shape `(classes,)` in `[0, 1]`; NaN of classes
        without samples.

    Raises:
        ValueError: if an argument is not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import average_precision
        >>> labels = np.array([[1, 0], [0, 1], [1, 1]])
        >>> average_precision(labels, np.array([[3, 1], [1, 0], [2, 2]]))
        array([1.        , 0.83333333])

    Reference:
        - [Everingham et al., 2010](https://doi.org/10.1007/s11263-009-0275-4)
    """
    from sklearn.metrics import average_precision_score  # Slow to import.

    scores = check_features(scores, "scores")
    labels = check_multi_hot(labels, len(scores), scores.shape[1])
    return np.array(
        [
            average_precision_score(has, score) if has.any() else np.nan
            for has, score in zip(labels.T, scores.T, strict=True)
        ]
    )


def mean_average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Returns the mean of the classes' average precisions, mAP.

    Args:
        labels: see `average_precision`, as for the other.
        scores: see there.

    Returns:
        float in `[0, 1]`, over the classes that have samples; NaN if none has.
    """
    return _mean(average_precision(labels, scores))


class MultiLabelAblation(NamedTuple):
    """What is told of each class without, and with only, one class's filters.

    Attributes:
        recalls: `Ablation`, of the classes that are told: those of a
            probability of at least 0.5. Its probabilities are the mean ones of
            a class over its samples.
        removed: array of shape `(classes, classes)`: in row `c` the average
            precision of each class without the filters of class `c`; NaN in
            the columns of classes without samples.
        kept: array of the same shape: with those filters alone.
    """

    recalls: Ablation
    removed: np.ndarray
    kept: np.ndarray

    def figures(self) -> dict[str, float]:
        """Returns the means, a flat dict of floats in `[0, 1]`.

        Those of `Ablation`, and `removed_own_average_precision` and so on: of
        the class whose filters are removed about its share of the samples
        where the rest tells nothing; of all others as before.
        """
        own = np.eye(len(self.removed), dtype=bool)
        figures = self.recalls.figures()
        for name in ("removed", "kept"):
            precisions = getattr(self, name)
            figures |= {
                f"{name}_own_average_precision": _mean(precisions[own]),
                f"{name}_other_average_precision": _mean(precisions[~own]),
            }
        return figures


def multi_label_ablation(
    features: np.ndarray, labels: np.ndarray, head: Head
) -> MultiLabelAblation:
    """Removes each class's filters in turn, then keeps only them.

    As `ablation` does, of samples that may have several classes.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: zeros and ones of shape `(samples, classes)`.
        head: `Head` with a gate.

    Returns:
        `MultiLabelAblation`.

    Raises:
        ValueError: if an argument is not as described.
    """
    features, labels = check_samples(features, labels, head, multi_hot=True)
    sides = []
    for label in range(head.num_classes):
        row = open_row(head, label)
        sides.append(
            [
                _told(labels, head.logits(features * part), label)
                for part in (1 - row, row)
            ]
        )
    removed, kept = zip(*sides, strict=True)
    recalls, precisions, probabilities = zip(
        *(map(np.array, zip(*side, strict=True)) for side in (removed, kept)),
        strict=True,
    )
    return MultiLabelAblation(Ablation(*recalls, *probabilities), *precisions)


def _told(labels, logits, label):
    """Returns recalls and precisions by class, and a class's probability."""
    counts = labels.sum(axis=0)
    with np.errstate(invalid="ignore"):  # No samples: 0 / 0.
        recalls = (labels & (logits >= THRESHOLD)).sum(axis=0) / counts
        own = expit(logits[labels[:, label], label]).sum() / counts[label]
    return recalls, average_precision(labels, logits), own


def _mean(values):
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
