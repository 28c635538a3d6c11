"""What is said of two runs side by side."""

from typing import Any

from keras_csg.reports.gathering import Gathered
from keras_csg.reports.recipe import training_facts
from keras_csg.reports.sentences import SENTENCES, shown

TITLES = {
    "class_average_precision": "Average precision",
    "class_precision": "Precision",
    "class_recall": "Recall",
    "class_f1": "F1",
    "class_support": "Images",
    "filters_per_class": "Filters",
}


def other_name(gathered: Gathered) -> str:
    """Returns what to call the run beside; two of one name are told apart.

    Args:
        gathered: `Gathered`, with an `other`.
    """
    if gathered.other is None:
        return ""
    name = gathered.other.about.name
    return name if name != gathered.about.name else f"{name} (2)"


def beside(
    gathered: Gathered, facts: dict[str, str], examples: int
) -> dict[str, Any]:
    """Returns what is said of two runs side by side, empty of one alone.

    Args:
        gathered: `Gathered`.
        facts: what `training_facts` says of the first.
        examples: int. How many images both were measured on.
    """
    other = gathered.other
    if other is None:
        return {}
    theirs = training_facts(other.about)
    words = {
        "both": "both",
        "first": f"only {gathered.about.name}",
        "second": f"only {other_name(gathered)}",
        "neither": "neither",
    }
    agreement = [
        (words[who], count, count / examples)
        for who, count in (other.agreement or {}).items()
    ]
    return {
        "agreement": agreement,
        "other_notes": other.measured.notes,
        "comparison_words": _comparison_words(gathered),
        "facts_beside": [
            (name, facts.get(name, "–"), theirs.get(name, "–"))
            for name in dict.fromkeys([*facts, *theirs])
        ],
    }


def _comparison_words(gathered):
    several = gathered.about.multi_label
    name = "mean_average_precision" if several else "accuracy"
    label = SENTENCES[name].label
    own = gathered.measured.figures.get(name)
    theirs = gathered.other.measured.figures.get(name)
    first, second = gathered.about.name, other_name(gathered)
    if own is None or theirs is None:
        return ""
    points = 100 * (own - theirs)
    if abs(points) < 0.05:
        kind = "the same to a tenth of a point"
    else:
        more = "more" if points > 0 else "less"
        kind = f"{abs(points):.1f} points {more}"
    return (
        f"{label}: {shown(name, own)} of {first} and {shown(name, theirs)} of "
        f"{second}, {kind}."
    )
