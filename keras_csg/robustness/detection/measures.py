import math

import numpy as np


def detection_figures(
    known: np.ndarray, strange: np.ndarray
) -> dict[str, float]:
    """Says how well a score tells strange images from known ones.

    Strange is the positive class.

    Args:
        known: array `(samples,)`, scores of images of the known classes.
        strange: array `(samples,)`, scores of the others.

    Returns:
        A dict of `roc_auc`; `aupr`, the average precision; `fpr_at_95_tpr`,
        the share of known images flagged where 95 % of the strange ones are;
        `error`, the least mean of the two rates of error over all thresholds.

    Raises:
        ValueError: if either is empty, or has a score that is not finite.

    Example:
        >>> import numpy as np
        >>> figures = detection_figures(np.array([0, 1]), np.array([1.5, 3]))
        >>> figures["roc_auc"], figures["fpr_at_95_tpr"], figures["error"]
        (1.0, 0.0, 0.0)
    """
    from sklearn.metrics import auc as area
    from sklearn.metrics import average_precision_score, roc_curve

    scores = np.concatenate([known, strange])
    if not len(known) or not len(strange) or not np.isfinite(scores).all():
        raise ValueError(
            "`known` and `strange` must hold finite scores. Received: "
            f"{len(known)} and {len(strange)}, "
            f"{int((~np.isfinite(scores)).sum())} of them not finite"
        )
    labels = np.repeat([0, 1], [len(known), len(strange)])
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    enough = math.ceil(0.95 * len(strange)) / len(strange)
    return {
        "roc_auc": float(area(false, true)),
        "aupr": float(average_precision_score(labels, scores)),
        "fpr_at_95_tpr": float(false[np.argmax(true >= enough - 1e-9)]),
        "error": float(np.min((false + 1 - true) / 2)),
    }
