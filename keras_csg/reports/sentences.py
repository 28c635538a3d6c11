"""What each figure of `metrics.json` means, for who did not train the model."""

import math
import pathlib
import tomllib
from typing import Any, NamedTuple

GROUPS = {
    "answers": "How often it is right",
    "calibration": "How far it means what it says",
    "filters": "What its filters know",
    "gate": "The gate, and what it does",
    "control": "Controls: is the gate more than a label that leaks?",
    "cost": "What it costs",
}
"""Headings of the figures, in the order of the page."""

HIGHER, LOWER = "higher is better", "lower is better"
WAYS = {"higher": HIGHER, "lower": LOWER}


class Sentence(NamedTuple):
    """What to call a figure, and what it means.

    Attributes:
        label: str. A few words.
        meaning: str. One sentence without jargon.
        unit: `"share"` of 0 to 1, shown as a percentage, `"count"`,
            `"number"`, or the name of a unit.
        good: str. `HIGHER`, `LOWER`, or what else is good, in words; empty
            where a figure is neither.
        group: str. A key of `GROUPS`.
    """

    label: str
    meaning: str
    unit: str
    good: str = ""
    group: str = ""


def _read():
    text = pathlib.Path(__file__).with_suffix(".toml").read_text("utf-8")
    return {
        name: Sentence(
            **{**words, "good": WAYS.get(good := words.get("good", ""), good)},
            group=group,
        )
        for group, figures in tomllib.loads(text).items()
        for name, words in figures.items()
    }


SENTENCES: dict[str, Sentence] = _read()
"""The one table: a figure without a line in it is not shown."""

COLUMNS = {
    "class_precision": "Of the images that it takes for the class, the share "
    "that are of it.",
    "class_recall": "Of the images of the class, the share that it finds.",
    "class_f1": "High only if precision and recall both are.",
    "class_average_precision": "How well images of the class are ranked before "
    "all others.",
    "class_support": "How many test images the class has.",
    "filters_per_class": "How many filters the class has as its own.",
}
"""What the figures of each class mean."""


def shown(name: str, value: Any) -> str:
    """Returns a figure as text, as its line in `SENTENCES` says.

    Args:
        name: str. The figure's.
        value: a number, or `None` where it is not defined.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "not defined"
    unit = SENTENCES[name].unit
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "share":
        return percent(value)
    if unit == "number":
        return f"{value:.3f}"
    digits = 3 if unit == "nats" else 1
    return f"{value:,.{digits}f} {unit}"


def percent(share: float | None) -> str:
    """Returns a share of 0 to 1 as a percentage, a dash for none."""
    if share is None or math.isnan(share):
        return "–"
    # A line does not break before the sign.
    return f"{100 * share:.1f}\u00a0%"
