"""What decided about an image, in words."""

from typing import Any

import numpy as np

NAMED = 3
"""Filters that a sentence names."""
PRESENT = 0.5
"""Probability from which a class is there, where there may be several."""


def sentences_about(explanation: Any, index: int) -> list[str]:
    """Returns what `Explanation.sentences` does."""
    return [
        sentence
        for say in (_prediction, _heads, _carried, _contrast, _removal)
        if (sentence := say(explanation, index))
    ]


def _prediction(explanation, index):
    names = explanation.class_names
    probabilities = explanation.probabilities[index]
    without = _switched_off(explanation)
    if explanation.multi_label:
        present = np.flatnonzero(probabilities >= PRESENT)
        present = present[np.argsort(-probabilities[present], kind="stable")]
        found = ", ".join(
            f"{names[c]} ({probabilities[c]:.1%})" for c in present
        )
        likeliest = names[explanation.predicted.classes[index]]
        return (
            f"{without}Present: {found or 'no class'}. What follows is about "
            f"{likeliest}, the likeliest."
        )
    predicted = explanation.predicted.classes[index]
    return f"{without}{names[predicted]}, {probabilities[predicted]:.1%}."


def _switched_off(explanation):
    """Says which filters are switched off, by name where they are few."""
    off = explanation.switched_off
    if not off:
        return ""
    if len(off) > NAMED:
        return f"Without {len(off)} filters: "
    return f"Without {', '.join(map(explanation.filter_label, off))}: "


def _heads(explanation, index):
    specific = explanation.class_specific_probabilities
    if specific is None:
        return (
            "The network has no gate: no filter belongs to a class, and each "
            "is named after the class it weighs most for."
        )
    names = explanation.class_names
    predicted = explanation.predicted.classes[index]
    if explanation.heads_agree[index]:
        return (
            "The class-specific head, where each class has its own filters "
            f"alone, agrees: {specific[index, predicted]:.1%}."
        )
    best = specific[index].argmax()
    return (
        "The two heads disagree, so be careful: by its own filters alone the "
        f"class-specific head sees {names[best]} ({specific[index, best]:.1%}) "
        f"and {names[predicted]} with {specific[index, predicted]:.1%}."
    )


def _carried(explanation, index):
    evidence = explanation.predicted
    if not (evidence.contributions[index] > 0).any():
        return "No filter speaks for it: less speaks against it than others."
    text = f"It was carried by {_filters(explanation, evidence, index)}."
    own = explanation.own_filters
    if own is not None and explanation.standard_logits:
        parts = np.maximum(evidence.contributions[index], 0)
        share = parts[own[evidence.classes[index]]].sum() / parts.sum()
        text += f" Its own filters bring {share:.0%} of what speaks for it."
    return text


def _contrast(explanation, index):
    if explanation.contrast is None:
        return None
    names = explanation.class_names
    this = names[explanation.predicted.classes[index]]
    that = names[explanation.other.classes[index]]
    share = explanation.probabilities[index, explanation.other.classes[index]]
    filters = _filters(explanation, explanation.contrast, index)
    return f"Why {this}, not {that} ({share:.1%}): {filters or 'no filter'}."


def _removal(explanation, index):
    removal = explanation.without_own
    if removal is None:
        return None
    names = explanation.class_names
    predicted = explanation.predicted.classes[index]
    count = int(explanation.own_filters[predicted].sum())
    if not count:
        return f"No filter is {names[predicted]}'s own."
    then = removal.classes[index]
    filters = "own filter" if count == 1 else f"{count} own filters"
    probability = removal.probabilities[index]
    if then == predicted:
        return (
            f"Without its {filters} it would still be {names[predicted]}, "
            f"with {probability:.1%}."
        )
    return (
        f"Without its {filters} it would be {names[then]}, and "
        f"{names[predicted]} with {probability:.1%}."
    )


def _filters(explanation, evidence, index):
    """Names the filters that add most, with what they add."""
    parts = evidence.contributions[index]
    order = np.argsort(-parts, kind="stable")[:NAMED]
    return ", ".join(
        f"{_of_its_class(explanation, k)} ({parts[k]:+.2f})"
        for k in order
        if parts[k] > 0
    )


def _of_its_class(explanation, number):
    owner = explanation.owner(number)
    label = explanation.filter_label(number)
    return label if owner is None else f"{label} of {owner}"
