"""Labels that are none of a network's."""

from typing import Any

import numpy as np
from keras import ops


def check_labels(model: Any, labels: Any) -> None:
    """Refuses an array of labels that a network does not know.

    Class numbers, as whole numbers of any type, or a share in `[0, 1]` for
    each class; with `multi_label` the latter alone.

    TensorFlow ends a step with a traceback then, and a GPU may go on with
    zeros; half a class would be cut to a whole one, and shares below zero
    have a loss without a least. Only arrays are looked at, not what pipelines
    yield.

    Args:
        model: `CSGClassifier`.
        labels: what `fit`, `evaluate` or `train_on_batch` was given as `y`.

    Raises:
        ValueError: naming the least or the largest, or the shape.
    """
    labels = _as_array(labels)
    if labels is None:
        return
    if model.multi_label:
        _check_several(model, labels)
    elif labels.ndim == 1 or labels.shape[1:] == (1,):
        _check_numbers(labels, model.num_classes)
    elif labels.shape[1:] == (model.num_classes,):
        _check_shares(labels)


def _as_array(labels):
    """Returns labels at hand as an array of numbers, or `None`."""
    if ops.is_tensor(labels):
        # Of a tensor that is spread over processes each has only its part.
        if getattr(labels, "is_fully_addressable", True):
            labels = ops.convert_to_numpy(labels)
    elif hasattr(labels, "__array__") and hasattr(labels, "iloc"):
        labels = np.asarray(labels)  # A column of a table of pandas.
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iufb":
        return labels
    return None


def _check_numbers(labels, classes):
    odd = _outside(labels, 0, classes - 1)
    if odd is None and labels.dtype.kind == "f":
        parts = labels[labels != np.floor(labels)]
        odd = parts[0] if parts.size else None
    if odd is not None:
        raise ValueError(
            f"Labels must be class numbers from 0 to {classes - 1}. "
            f"Received: {odd}"
        )


def _check_shares(labels):
    # What MixUp shares out may be rounded to a little above one.
    odd = _outside(labels, 0, 1 + 1e-3)
    if odd is not None:
        raise ValueError(
            "Labels of a number for each class must be shares from 0 to 1. "
            f"Received: {odd}"
        )


def _outside(labels, least, most):
    """Returns a label outside the range, or which is no number, if any is."""
    for odd in (labels.min(), labels.max()) if labels.size else ():
        if not least <= odd <= most:
            return odd
    return None


def _check_several(model, labels):
    if labels.shape[1:] != (model.num_classes,):
        raise ValueError(
            "Labels of a classifier with `multi_label` must be of shape "
            f"(samples, {model.num_classes}), a 0 or a 1 for each class. "
            f"Received: labels.shape={labels.shape}"
        )
    odd = _outside(labels, 0, 1)
    if odd is not None:
        raise ValueError(
            "Labels of a classifier with `multi_label` must be in [0, 1]. "
            f"Received: {odd}"
        )
