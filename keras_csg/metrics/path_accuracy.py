"""Accuracies of the ways through a gated classifier.

All but `accuracy` and `share_right` take `features` `(samples, filters)`, the
global averages of the maps; `labels` `(samples,)`, ints in `[0, classes)`; and
the `head`, a `Head`. They return a float in `[0, 1]` and raise `ValueError`
for arrays of other shapes or ranges, and where they need a gate and there is
none.

Reference:
    - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
"""

import numpy as np
from scipy.special import softmax

from keras_csg.metrics.checks import check_features, check_labels
from keras_csg.metrics.head import Head, check_samples


def accuracy(labels: np.ndarray, logits: np.ndarray) -> float:
    """Returns the share of samples whose largest logit is the label's.

    Args:
        labels: ints of shape `(samples,)` in `[0, classes)`.
        logits: array of shape `(samples, classes)`, finite. Of equal largest
            ones the first counts.

    Returns:
        float in `[0, 1]`.

    Raises:
        ValueError: if an argument is not as described.
    """
    if np.ndim(labels) > 1 and np.ndim(logits) == 1:  # The order of 0.1.0.
        from keras_csg.version import warn_of_deprecated

        warn_of_deprecated(
            "accuracy(logits, labels)", "accuracy(labels, logits)", until="0.3"
        )
        labels, logits = logits, labels
    logits = check_features(logits, "logits")
    return share_right(check_labels(labels, *logits.shape), logits)


def share_right(labels: np.ndarray, logits: np.ndarray) -> float:
    """Returns what `accuracy` does, of arrays that have been checked."""
    return float((logits.argmax(axis=-1) == labels).mean())


def standard_accuracy(
    features: np.ndarray, labels: np.ndarray, head: Head
) -> float:
    """Returns the accuracy of the standard path, `W a + b`."""
    features, labels = check_samples(features, labels, head)
    return share_right(labels, head.logits(features))


def class_specific_accuracy(
    features: np.ndarray, labels: np.ndarray, head: Head
) -> float:
    """Returns the accuracy of the `(W * G) a + b` head.

    Each class's logit sums over its own filters alone. No label enters.
    """
    features, labels = check_samples(features, labels, head)
    return share_right(labels, head.class_specific_logits(features))


def own_accuracy(features: np.ndarray, labels: np.ndarray, head: Head) -> float:
    """Returns the standard head's accuracy on the predicted class's filters.

    `W (G[p] * a) + b`, where the standard path predicts the class `p`; no
    label enters, unlike in `gated_accuracy`. Equal to the standard accuracy,
    by construction, where a class's filters alone always choose that class:
    `kept_own_recall` of 1 and `kept_other_recall` of 0 in the ablation. So it
    is of a perfect network, and of one with an open gate, whose filters say
    nothing.
    """
    features, labels = check_samples(features, labels, head)
    logits = head.gated_logits(features, head.predicted(features))
    return share_right(labels, logits)


def complement_accuracy(
    features: np.ndarray,
    labels: np.ndarray,
    head: Head,
    rows: np.ndarray | None = None,
) -> float:
    """Returns the accuracy without a class's filters, `W ((1 - G[row]) a) + b`.

    About 0 if no other filter knows the class, and at most chance,
    `1 / classes`, where the others say nothing; that of the standard path
    where each class is spread over all filters.

    Args:
        features: see above, as for the others.
        labels: see above.
        head: see above.
        rows: ints of shape `(samples,)`: the gate row that is taken away from
            each sample. Defaults to `labels`. By the predicted class it is
            higher: a sample that is misclassified keeps its own filters.
    """
    features, labels = check_samples(features, labels, head)
    rows = _checked_rows(rows, labels, head)
    return share_right(labels, head.complement_logits(features, rows))


def complement_probability(
    features: np.ndarray, labels: np.ndarray, head: Head
) -> float:
    """Returns the true class's mean probability without its filters.

    Beside `complement_accuracy`, since the largest of nearly equal
    probabilities is chance: `1 / classes` where nothing is left that tells
    the class, less where the rest speaks for others.
    """
    features, labels = check_samples(features, labels, head)
    return probability_of(labels, head.complement_logits(features, labels))


def probability_of(labels: np.ndarray, logits: np.ndarray) -> float:
    """Returns the labels' mean probability, of arrays that have been checked.

    Args:
        labels: ints of shape `(samples,)` in `[0, classes)`.
        logits: array of shape `(samples, classes)`.

    Returns:
        float in `[0, 1]`.
    """
    probabilities = softmax(logits, axis=-1)
    return float(probabilities[np.arange(len(labels)), labels].mean())


def gated_accuracy(
    features: np.ndarray,
    labels: np.ndarray,
    head: Head,
    rows: np.ndarray | None = None,
) -> float:
    """Returns the accuracy of the gated path, `W (G[row] * a) + b`.

    Args:
        features: see above, as for the others.
        labels: see above.
        head: see above.
        rows: ints of shape `(samples,)`: the gate row of each sample. Defaults
            to `labels`, so the label enters: an upper bound, no prediction.
    """
    features, labels = check_samples(features, labels, head)
    rows = _checked_rows(rows, labels, head)
    return share_right(labels, head.gated_logits(features, rows))


def _checked_rows(rows, labels, head):
    if rows is None:
        return labels
    return check_labels(rows, len(labels), head.num_classes)


def gated_logits(
    features: np.ndarray, rows: np.ndarray, head: Head
) -> np.ndarray:
    """Returns the gated path's logits for given gate rows.

    Args:
        features: see above.
        rows: ints of shape `(samples,)` in `[0, classes)`: the gate row of
            each sample.
        head: see above.

    Returns:
        array of shape `(samples, classes)`.
    """
    features, rows = check_samples(features, rows, head)
    return head.gated_logits(features, rows)
