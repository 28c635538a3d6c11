"""What a model answers of an image, with names for numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_csg.deployment.graph.outputs import PRESENT
from keras_csg.deployment.metadata import Metadata

NAMED_FILTERS = 5


def describe_answer(
    answer: Mapping[str, np.ndarray], metadata: Metadata, top: int
) -> dict[str, Any]:
    """Returns the prediction for one image.

    Args:
        answer: dict of an image's arrays, one for each output.
        metadata: the model's `Metadata`.
        top: int. Number of classes to name.

    Returns:
        dict; see `keras_csg.deployment.predict_each`.
    """
    if metadata.multi_label:
        return _describe_several(answer, metadata, top)
    return _describe_one(answer, metadata, top)


def _describe_one(answer, metadata, top):
    names = metadata.class_names
    probabilities = answer["probabilities"]
    described = {
        "classes": [
            _entry(names, probabilities, index)
            for index in _likeliest(answer["class_id"], probabilities)[:top]
        ]
    }
    if "class_specific_probabilities" in answer:
        specific = answer["class_specific_probabilities"]
        described["class_specific"] = _entry(names, specific, specific.argmax())
    if "gate_agreement" in answer:
        described["gate_agreement"] = float(answer["gate_agreement"])
    if "anomaly_score" in answer:
        described["anomaly_score"] = float(answer["anomaly_score"])
    if "known" in answer:
        described["known"] = bool(answer["known"])
    if "filter_contributions" in answer:
        parts = answer["filter_contributions"]
        described["filters"] = _largest_shares(parts, metadata.filter_names)
    return described


def _describe_several(answer, metadata, top):
    names = metadata.class_names
    probabilities = answer["probabilities"]
    present = _present(names, probabilities)
    described = {
        **_describe_one(answer, metadata, max(top, len(present))),
        "present": present,
        "probabilities": {
            name: float(probability)
            for name, probability in zip(names, probabilities, strict=True)
        },
    }
    if "class_specific" in described:
        specific = answer["class_specific_probabilities"]
        described["class_specific"] = _present(names, specific)
    return described


def _present(names, probabilities):
    """Returns the classes that are there, from the likeliest down."""
    order = np.argsort(-probabilities, kind="stable")
    return [
        _entry(names, probabilities, index)
        for index in order
        if probabilities[index] >= PRESENT
    ]


def _likeliest(class_id, probabilities):
    """Returns the classes from the likeliest down, the predicted one first.

    In a quantised model several may share the largest probability.
    """
    order = np.argsort(-probabilities, kind="stable")
    return [class_id, *order[order != class_id]]


def _entry(names, probabilities, index):
    return {
        "class_name": names[index],
        "probability": float(probabilities[index]),
    }


def _largest_shares(parts, names):
    """Returns the filters with the largest positive parts, as shares of all.

    Of their sizes, whatever the sign. A file of 0.1.0 answers in such shares.
    """
    shares = parts / max(np.abs(parts).sum(), np.finfo("float32").tiny)
    order = np.argsort(-shares, kind="stable")[:NAMED_FILTERS]
    return [
        {"filter": int(k), "share": float(shares[k])}
        | ({"name": names[k]} if k in names else {})
        for k in order
        if shares[k] > 0
    ]
