"""How far a classifier's probabilities are off, and what sets them right."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, softmax

from keras_csg.evaluation.features import FeatureExtractor, head_of
from keras_csg.metrics.calibration import reliability
from keras_csg.metrics.temperature import fit_temperature
from keras_csg.models.classifier import CSGClassifier

LEAST_IMAGES = 20


class Calibration(NamedTuple):
    """What a classifier's logits are divided by, and what it is good for.

    Attributes:
        temperature: float, of the standard head's logits.
        images: int. Images that it was found from, and the errors are of.
        ece_before: float in 0..1. Expected calibration error of these images
            as the network says it; with `multi_label` of all its decisions
            whether a class is there.
        ece_after: float in 0..1. The same with the temperature.
        class_specific_temperature: float, of the class-specific head's logits;
            `None` without a gate, as the next two.
        class_specific_ece_before: float in 0..1.
        class_specific_ece_after: float in 0..1.
    """

    temperature: float
    images: int
    ece_before: float
    ece_after: float
    class_specific_temperature: float | None = None
    class_specific_ece_before: float | None = None
    class_specific_ece_after: float | None = None


def fit_calibration(
    model: CSGClassifier, batches: Iterable[tuple[Any, Any]]
) -> Calibration:
    """Finds the temperatures of a classifier's heads.

    Args:
        model: `CSGClassifier`.
        batches: iterable of image batches `(batch, height, width, 3)`, RGB in
            0..255, and their labels, of images that the classifier was not
            trained on. The logits of all are in memory at a time.

    Returns:
        `Calibration`.

    Raises:
        ValueError: if there are fewer than 20 images, or as
            `keras_csg.metrics.fit_temperature`.

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
    """
    features, labels, _ = FeatureExtractor(model)(batches)
    if len(features) < LEAST_IMAGES:
        raise ValueError(
            f"A temperature takes {LEAST_IMAGES} images or more to be found "
            f"from, and some thousand to be sure of. Received: {len(features)}"
        )
    head = head_of(model)
    temperature, before, after = _fit(head.logits(features), labels)
    found = Calibration(temperature, len(features), before, after)
    if not model.gated:
        return found
    temperature, before, after = _fit(
        head.class_specific_logits(features), labels
    )
    return found._replace(
        class_specific_temperature=temperature,
        class_specific_ece_before=before,
        class_specific_ece_after=after,
    )


def calibration_error(
    logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0
) -> float:
    """Returns the expected calibration error of logits, 0..1.

    Args:
        logits: array of shape `(samples, classes)`.
        labels: ints of shape `(samples,)`; or zeros and ones of shape
            `(samples, classes)`: then each class of each sample is a decision
            of its own, whether it is there.
        temperature: float. What they are divided by.
    """
    logits = logits / np.float32(temperature)
    if labels.ndim == 1:
        return reliability(softmax(logits, axis=1), labels).ece
    there = expit(logits).ravel()
    return reliability(np.stack([1 - there, there], 1), labels.ravel()).ece


def _fit(logits, labels):
    """Returns the temperature, and the error before and after."""
    temperature = fit_temperature(logits, labels)
    errors = [
        calibration_error(logits, labels, divisor)
        for divisor in (1.0, temperature)
    ]
    return temperature, *errors
