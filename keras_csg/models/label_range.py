"""Labels of classes that a network does not have."""

from typing import Any

import numpy as np


def check_labels(model: Any, labels: Any) -> None:
    """Refuses an array of class numbers that a network does not know.

    TensorFlow ends a step with a traceback then, and a GPU may go on with
    zeros. Only arrays are looked at, not what pipelines yield.

    Args:
        model: `CSGClassifier`.
        labels: what `fit`, `evaluate` or `train_on_batch` was given as `y`.

    Raises:
        ValueError: naming the least or the largest.
    """
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
