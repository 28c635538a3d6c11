"""Labels that are none of a network's."""

from typing import Any

import numpy as np


def check_labels(model: Any, labels: Any) -> None:
    """Refuses an array of labels that a network does not know.

    Class numbers, or a number in `[0, 1]` for each class with `multi_label`.

    TensorFlow ends a step with a traceback then, and a GPU may go on with
    zeros. Only arrays are looked at, not what pipelines yield.

    Args:
        model: `CSGClassifier`.
        labels: what `fit`, `evaluate` or `train_on_batch` was given as `y`.

    Raises:
        ValueError: naming the least or the largest, or the shape.
    """
    if model.multi_label:
        _check_several(model, labels)
        return
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        return
    flat = labels.ndim == 1 or labels.shape[1:] == (1,)
    if not (flat and labels.size):
        return
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most >= model.num_classes:
        odd = least if least < 0 else most
        raise ValueError(
            f"Labels must be class numbers from 0 to {model.num_classes - 1}. "
            f"Received: {odd}"
        )


def _check_several(model, labels):
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iufb":
        return
    if labels.shape[1:] != (model.num_classes,):
        raise ValueError(
            "Labels of a classifier with `multi_label` must be of shape "
            f"(samples, {model.num_classes}), a 0 or a 1 for each class. "
            f"Received: labels.shape={labels.shape}"
        )
    if labels.size and not (0 <= labels.min() and labels.max() <= 1):
        odd = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(
            "Labels of a classifier with `multi_label` must be in [0, 1]. "
            f"Received: {odd}"
        )
