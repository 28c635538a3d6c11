"""An explanation as plain lists and numbers, as JSON holds them."""

from typing import Any

import numpy as np


def listed_image(explanation: Any, index: int) -> dict[str, Any]:
    """Returns what `Explanation.to_dict` says of one image."""
    predicted = explanation.predicted.classes[index]
    found = {
        "image": explanation.pictures[index].name,
        "sentences": explanation.sentences(index),
        "probabilities": dict(
            zip(
                explanation.class_names,
                np.asarray(explanation.probabilities[index]).tolist(),
                strict=True,
            )
        ),
        "predicted": _evidence(explanation, explanation.predicted, index),
    }
    specific = explanation.class_specific_probabilities
    if specific is not None:
        best = specific[index].argmax()
        found["class_specific"] = {
            "class_name": explanation.class_names[best],
            "probability": float(specific[index, best]),
            "probability_of_predicted": float(specific[index, predicted]),
        }
        found["heads_agree"] = bool(explanation.heads_agree[index])
    if explanation.contrast is not None:
        found["other"] = _evidence(explanation, explanation.other, index)
        contrast = _evidence(explanation, explanation.contrast, index)
        del contrast["class_name"], contrast["probability"]
        found["contrast"] = contrast
    if explanation.without_own is not None:
        found["without_own_filters"] = _removal(
            explanation, explanation.without_own, index
        )
    return found


def _evidence(explanation, evidence, index):
    number = evidence.classes[index]
    total, bias = float(evidence.totals[index]), None
    if evidence.biases is not None:
        bias = float(evidence.biases[index])
    return {
        "class_name": explanation.class_names[number],
        "probability": float(explanation.probabilities[index, number]),
        "evidence": total,
        "bias": bias,
        "logit": None if bias is None else total + bias,
        "filters": [
            _filter(explanation, evidence, index, place)
            for place in range(evidence.filters.shape[1])
        ],
    }


def _filter(explanation, evidence, index, place):
    number = int(evidence.filters[index, place])
    found = {
        "filter": number,
        "contribution": float(evidence.contributions[index, number]),
        "class_name": explanation.owner(number),
    }
    if number in explanation.filter_names:
        found["name"] = explanation.filter_names[number]
    if explanation.gate_matrix is not None:
        gate = explanation.gate_matrix[evidence.classes[index], number]
        found["gate"] = float(gate)
    if evidence is explanation.predicted and explanation.without is not None:
        found["without"] = _removal(
            explanation, explanation.without, index, place
        )
    return found


def _removal(explanation, removal, *place):
    return {
        "class_name": explanation.class_names[removal.classes[place]],
        "probability_of_predicted": float(removal.probabilities[place]),
    }
