"""A detector in an exported graph, on what the graph computes anyway."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_csg.deployment.graph.answer_layers import Known
from keras_csg.robustness.detection import AnomalyDetector
from keras_csg.robustness.detection.score import with_gate

SCORE, KNOWN = "anomaly_score", "known"
SHIFT, SHIFTED, STAND_IN = "logit_shift", "shifted_logits", "stand_in_head"
SLACK = 5e-5
"""Share by which a score may be above the threshold: what rounding makes of it.

The threshold is the score of a clean image, and that one is known.
"""
DETECTOR_LAYERS = (SCORE, KNOWN, SHIFT, SHIFTED, STAND_IN)
"""Names of the layers that it adds."""


def score_of(
    detector: AnomalyDetector,
    features: Any,
    logits: Callable[[], Any],
    specific_logits: Callable[[], Any],
) -> Any:
    """Returns the anomaly score as a Keras tensor, `(batch,)`, 0..1.

    What the score does not look at gets no place in the graph.

    Args:
        detector: `AnomalyDetector`, fitted.
        features: Keras tensor `(batch, filters)`.
        logits: callable that gives the standard head's logits, `(batch,
            classes)`; without a gate less their mean over the classes.
        specific_logits: the same of the class-specific head; not asked
            without a gate.
    """
    gated = detector.head_.gate_matrix is not None
    seen, given = detector.looks_at(), {}
    if "logits" in seen:
        given["logits"] = (
            logits() if gated else _whole(detector, features, logits())
        )
    if "specific_logits" in seen:
        given["specific_logits"] = (
            specific_logits() if gated else _stand_in(detector, features)
        )
    return detector.as_layer(name=SCORE)(features, **given)


def known_of(detector: AnomalyDetector, anomaly_score: Any) -> Any:
    """Returns whether each image is known, a Keras tensor `(batch,)`, bool."""
    at_most = 1 - detector.false_alarm_rate + SLACK
    return Known(at_most, dtype="float32", name=KNOWN)(anomaly_score)


def _whole(detector, features, logits):
    """Returns the logits of a network without a gate as it has them.

    The graph has them less their mean, which is linear in the features, too.
    """
    head = detector.head_
    shift = _dense(
        SHIFT, features, head.kernel.mean(1, keepdims=True), [head.bias.mean()]
    )
    return keras.layers.Add(dtype="float32", name=SHIFTED)([logits, shift])


def _stand_in(detector, features):
    """Returns the logits of the gate that stands for one that is not there."""
    head = with_gate(detector.head_)
    own = head.kernel * head.require_gate().T
    return _dense(STAND_IN, features, own, head.bias)


def _dense(name, features, kernel, bias):
    layer = keras.layers.Dense(len(bias), dtype="float32", name=name)
    made = layer(features)
    layer.set_weights([kernel, np.asarray(bias)])
    return made
