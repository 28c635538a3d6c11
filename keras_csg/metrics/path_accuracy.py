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

    Those fully open to the class that the standard path predicts; all others
    are set to zero. Equal to the standard accuracy, by construction, where a
    class's filters alone always choose that class: `kept_own_recall` of 1 and
    `kept_other_recall` of 0 in the ablation.
    """
    features, labels = check_samples(features, labels, head)
    return share_right(labels, head.own_logits(features))


def complement_accuracy(
    features: np.ndarray, labels: np.ndarray, head: Head
) -> float:
    """Returns the accuracy with the predicted class's filters set to zero.

    The rest of what `own_accuracy` keeps: about 0 if no other filter knows the
    class.
    """
    features, labels = check_samples(features, labels, head)
    return share_right(labels, head.complement_logits(features))


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
    if rows is None:
        rows = labels
    else:
        rows = check_labels(rows, len(features), head.num_classes)
    return share_right(labels, head.gated_logits(features, rows))


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
