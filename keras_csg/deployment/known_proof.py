"""Whether an exported file knows the images that its model knows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

    from keras_csg.robustness.detection import AnomalyDetector

FEATURES = "features"
Answers = Mapping[str, np.ndarray]


def known_to(
    detector: "AnomalyDetector", features: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns what a detector itself says, by its threshold.

    Not what a graph that was made of it says: that goes by a share.

    Args:
        detector: `AnomalyDetector`, fitted.
        features: array `(samples, filters)`.

    Returns:
        dict with `known` and `anomaly_score`.
    """
    scores = detector.score_samples(features)
    return {
        "known": scores <= detector.threshold_,
        "anomaly_score": detector.ranks(scores),
    }


def without_features(answering: "keras.Model") -> "keras.Model":
    """Returns an answering model less what a detector alone takes."""
    import keras

    outputs = {k: v for k, v in answering.output.items() if k != FEATURES}
    return keras.Model(answering.inputs, outputs, name=answering.name)


def compare_known(
    expected: Answers, given: Answers, known_up_to: float
) -> dict[str, Any]:
    """Compares `known` of the same images.

    Args:
        expected: dict of arrays, the model's answers.
        given: dict of arrays, the file's.
        known_up_to: float. The largest anomaly score that is known.

    Returns:
        dict with `known_agreement`, `flagged` and `keras_flagged`, as
        `keras_csg.deployment.proof.prove` returns them, and `known_margin`:
        how far from `known_up_to` the model's score is at most where the file
        says otherwise; infinite where it has no score.
    """
    same = expected["known"] == given["known"]
    margin = 0.0
    if not same.all():
        margin = float("inf")
        if "anomaly_score" in expected:
            apart = expected["anomaly_score"][~same] - known_up_to
            margin = float(np.abs(apart).max())
    return {
        "known_agreement": float(same.mean()),
        "flagged": float(1 - given["known"].mean()),
        "keras_flagged": float(1 - expected["known"].mean()),
        "known_margin": margin,
    }


def worst_known(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the worst of what was found with several batch sizes."""
    worst = min(results, key=lambda result: result["known_agreement"])
    margin = max(result["known_margin"] for result in results)
    return {**worst, "known_margin": margin}


def fault_of_known(
    found: Mapping[str, Any], tolerance: float | None, min_agreement: float
) -> str | None:
    """Returns what is wrong, `None` for nothing.

    Args:
        found: what `worst_known` returns.
        tolerance: float. How far from what is known yet a file may say
            otherwise; `None` for any, of a quantised file.
        min_agreement: float in 0..1. Of a quantised file.
    """
    if tolerance is None:
        agreement = found["known_agreement"]
        if agreement >= min_agreement:
            return None
        return (
            f"The quantised file knows {agreement:.1%} of the images as the "
            f"model does, and at least {min_agreement:.1%} is required "
            f"(`min_agreement`): it flags {found['flagged']:.1%} and the model "
            f"{found['keras_flagged']:.1%}. Export it without the detector, or "
            "in another precision."
        )
    if found["known_margin"] <= tolerance:
        return None
    return (
        "The exported file does not answer as the model does: `known` differs "
        f"though the score is {found['known_margin']:.3g} away from where it "
        "changes."
    )
