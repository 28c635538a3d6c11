"""One number that makes a classifier mean what it says."""

import numpy as np
from scipy.optimize import minimize_scalar

from keras_csg.metrics.checks import (
    check_features,
    check_labels,
    check_multi_hot,
)

LEAST, MOST = 0.01, 100.0
"""Temperatures that are looked through."""
NEAR_THE_END = 1.02
"""Factor within which a temperature has run against one of these."""


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Finds the number by which logits are divided to be believed best.

    The one with the least negative log likelihood. It changes no class: the
    likeliest stays the likeliest, and what is above a half stays there.

    Args:
        logits: array of shape `(samples, classes)`, finite, of images that the
            classifier was not trained on.
        labels: ints of shape `(samples,)` in `[0, classes)`; or zeros and ones
            of shape `(samples, classes)`, where each class has a probability
            by itself, a sigmoid.

    Returns:
        float, above 1 for a classifier that is too sure of itself.

    Raises:
        ValueError: if an argument is not as described, or there is no best
            one: where all samples are told right the surer is the better, and
            where none can be told the less sure.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import fit_temperature
        >>> logits = np.array([[2.0, 0.0]] * 4)
        >>> labels = np.array([0, 0, 0, 1])  # Right three times in four.
        >>> round(fit_temperature(logits, labels), 2)  # 2 / log(3)
        1.82

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
    """
    logits = check_features(logits, "logits").astype("float32")
    labels = np.asarray(labels)
    if labels.ndim == 2:
        loss = _sigmoid_loss(logits, check_multi_hot(labels, *logits.shape))
    else:
        loss = _softmax_loss(logits, check_labels(labels, *logits.shape))
    found = minimize_scalar(
        lambda log_temperature: loss(np.exp(-log_temperature)),
        bounds=(np.log(LEAST), np.log(MOST)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    temperature = float(np.exp(found.x))
    if temperature < LEAST * NEAR_THE_END:
        raise ValueError(
            f"No temperature fits best: of {len(logits):,} samples all are "
            "told right, so the surer the better. Give more samples, such as "
            "are told wrong as well."
        )
    if temperature > MOST / NEAR_THE_END:
        raise ValueError(
            f"No temperature fits best: of {len(logits):,} samples the logits "
            "tell no class better than chance."
        )
    return temperature


def _softmax_loss(logits, labels):
    """Returns the mean loss as a function of `1 / temperature`."""
    below = logits - logits.max(axis=1, keepdims=True)  # No exp overflows.
    true = below[np.arange(len(labels)), labels].mean(dtype="float64")

    def loss(sharpness):
        sums = np.exp(below * np.float32(sharpness)).sum(axis=1)
        return np.log(sums).mean(dtype="float64") - sharpness * true

    return loss


def _sigmoid_loss(logits, labels):
    there = (logits * labels).mean(dtype="float64")

    def loss(sharpness):
        scaled = logits * np.float32(sharpness)
        softplus = np.logaddexp(np.float32(0), scaled).mean(dtype="float64")
        return softplus - sharpness * there

    return loss
