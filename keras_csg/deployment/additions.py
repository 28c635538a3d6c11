"""What an export adds to a network: a detector, and a temperature."""

import os
from typing import Any

from keras_csg.evaluation.features import head_of
from keras_csg.evaluation.temperature import Calibration
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.detection import AnomalyDetector
from keras_csg.robustness.detection.storing import fingerprint


def checked_detector(
    model: CSGClassifier, detector: Any
) -> AnomalyDetector | None:
    """Returns the detector that goes into an exported graph.

    Args:
        model: `CSGClassifier`.
        detector: `AnomalyDetector`; path of a folder that one was saved to;
            or `None`.

    Raises:
        ValueError: if it is none of these, was fitted on another network, was
            not fitted, or has a score that cannot live in a graph.
    """
    if detector is None:
        return None
    if isinstance(detector, str | os.PathLike):
        detector = AnomalyDetector.load(detector, model)
    if not isinstance(detector, AnomalyDetector):
        raise ValueError(
            "`detector` must be an `AnomalyDetector`, or the folder that one "
            "was saved to. "
            f"Received: detector of type {type(detector).__name__}"
        )
    detector.check_exportable()
    try:
        detector.check_threshold()
    except ValueError as error:
        raise ValueError(
            f"`detector` was changed after it was fitted: {error}. Fit it "
            "again."
        ) from error
    if fingerprint(detector.head_) != fingerprint(head_of(model)):
        raise ValueError(
            "`detector` was fitted on another network, or on this one before "
            "it was changed: fit it again."
        )
    return detector


def checked_temperature(
    model: CSGClassifier, temperature: Any
) -> Calibration | None:
    """Returns the temperatures that go into an exported graph.

    Args:
        model: `CSGClassifier`.
        temperature: `Calibration`, or `None`.

    Raises:
        ValueError: if it is neither, has a temperature that is no number above
            0, or lacks that of a gated network's class-specific head.
    """
    if temperature is None:
        return None
    if not isinstance(temperature, Calibration):
        raise ValueError(
            "`temperature` must be what `keras_csg.calibrate` returns. "
            f"Received: temperature={temperature!r}"
        )
    values: list[float | None] = [temperature.temperature]
    if model.gated:
        values.append(temperature.class_specific_temperature)
    if not all(value is not None and 0 < value < 1e6 for value in values):
        raise ValueError(
            "`temperature` must have a number above 0 for each head of the "
            f"network. Received: temperature={temperature!r}"
        )
    return temperature
