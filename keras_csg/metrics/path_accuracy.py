"""Accuracies of the ways through a gated classifier.

All take `features` `(samples, filters)`, the global averages of the maps;
`labels` `(samples,)`, ints in `[0, classes)`; the head's `kernel`
`(filters, classes)` and `bias` `(classes,)`; and `gate_matrix`
`(classes, filters)` in `[0, 1]`. They return a float in `[0, 1]` and raise
`ValueError` for arrays of other shapes or ranges.

Reference:
    - [Liang et al., 2020](https://arxiv.org/abs/2007.08194)
"""

import numpy as np

from keras_csg.metrics.checks import (
    check_features,
    check_gate,
    check_head,
    check_labels,
)
from keras_csg.metrics.gates import own_filters


def accuracy(logits, labels):
    """Returns the share of samples whose largest logit is the label's.

    Args:
        logits: array of shape `(samples, classes)`, finite. Of equal largest
            ones the first counts.
        labels: ints of shape `(samples,)`.
    """
    logits = check_features(logits, "logits")
    labels = check_labels(labels, *logits.shape)
    return float((logits.argmax(axis=-1) == labels).mean())


def standard_accuracy(features, labels, kernel, bias):
    """Returns the accuracy of the standard path, `W a + b`."""
    features, kernel, bias, _ = _checked(features, kernel, bias)
    return accuracy(features @ kernel + bias, labels)


def class_specific_accuracy(features, labels, kernel, bias, gate_matrix):
    """Returns the accuracy of the `(W * G) a + b` head.

    Each class's logit sums over its own filters alone. No label enters.
    """
    features, kernel, bias, gate_matrix = _checked(
        features, kernel, bias, gate_matrix
    )
    return accuracy(features @ (kernel * gate_matrix.T) + bias, labels)


def own_accuracy(features, labels, kernel, bias, gate_matrix):
    """Returns the standard head's accuracy on the predicted class's filters.

    Those fully open to the class that the standard path predicts; all others
    are set to zero. Equal to the standard accuracy, by construction, where a
    class's filters alone always choose that class: `kept_own_recall` of 1 and
    `kept_other_recall` of 0 in the ablation.
    """
    masked = _masked_logits(features, kernel, bias, gate_matrix, True)
    return accuracy(masked, labels)


def complement_accuracy(features, labels, kernel, bias, gate_matrix):
    """Returns the accuracy with the predicted class's filters set to zero.

    The rest of what `own_accuracy` keeps: about 0 if no other filter knows the
    class.
    """
    masked = _masked_logits(features, kernel, bias, gate_matrix, False)
    return accuracy(masked, labels)


def gated_accuracy(features, labels, kernel, bias, gate_matrix, rows=None):
    """Returns the accuracy of the gated path, `W (G[row] * a) + b`.

    Args:
        features: see above, as for the others.
        labels: see above.
        kernel: see above.
        bias: see above.
        gate_matrix: see above.
        rows: ints of shape `(samples,)`: the gate row of each sample. Defaults
            to `labels`, so the label enters: an upper bound, no prediction.
    """
    logits = gated_logits(
        features, kernel, bias, gate_matrix, labels if rows is None else rows
    )
    return accuracy(logits, labels)


def gated_logits(features, kernel, bias, gate_matrix, rows):
    """Returns the gated path's logits `(samples, classes)` for given rows."""
    features, kernel, bias, gate_matrix = _checked(
        features, kernel, bias, gate_matrix
    )
    rows = check_labels(rows, len(features), len(bias))
    return (features * gate_matrix[rows]) @ kernel + bias


def _masked_logits(features, kernel, bias, gate_matrix, own):
    features, kernel, bias, gate_matrix = _checked(
        features, kernel, bias, gate_matrix
    )
    logits = features @ kernel + bias
    mask = own_filters(gate_matrix)[logits.argmax(axis=-1)]
    return np.where(mask == own, features, 0) @ kernel + bias


def _checked(features, kernel, bias, gate_matrix=None):
    features = check_features(features)
    kernel, bias = check_head(kernel, bias, features.shape[1])
    if gate_matrix is not None:
        gate_matrix = check_gate(gate_matrix, kernel.shape[::-1])
    return features, kernel, bias, gate_matrix
