"""Which charts a page has, and of what."""

import numpy as np

from keras_csg.reports.charts import (
    Chart,
    compared_chart,
    curve_charts,
    reliability_chart,
    unique_texts,
)
from keras_csg.reports.comparing import TITLES, other_name
from keras_csg.reports.gathering import Gathered
from keras_csg.reports.matrices import matrix_chart

MOST_COMPARED = 60
"""Classes that a chart compares; the table has all."""


def all_charts(gathered: Gathered) -> dict[str, Chart | None]:
    """Returns the charts by name, `None` for those that are not defined.

    Args:
        gathered: `Gathered`.
    """
    about, measured = gathered.about, gathered.measured
    names = unique_texts(about.class_names)
    charts: dict[str, Chart | None] = dict.fromkeys(
        ("confusion", "reliability", "gate", "removed", "kept", "compared")
    )
    if measured.confusion is not None:
        confusion = measured.confusion
        charts["confusion"] = matrix_chart(
            "confusion",
            confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1),
            names,
            names,
            hover="%{y} taken for %{x}:<br>%{z} % of the class, "
            "%{customdata} images",
            alternative="Share of each class's images (down) that is taken for "
            "each class (across).",
            counts=confusion,
        )
    if measured.calibration is not None:
        charts["reliability"] = reliability_chart(_calibrations(gathered))
    if measured.head.gate_matrix is not None:
        charts["gate"] = _gate(gathered, names)
    if measured.ablation is not None:
        for name, words in (("removed", "taken away"), ("kept", "kept alone")):
            charts[name] = matrix_chart(
                name,
                getattr(measured.ablation, name),
                names,
                names,
                hover=f"filters of %{{y}} {words}:<br>"
                "recall of %{x} %{z} %",
                alternative=f"Recall of each class (across) with the filters "
                f"of one class (down) {words}.",
            )
    if gathered.other is not None:
        charts["compared"] = _compared(gathered)
    return charts


def _calibrations(gathered):
    found = {gathered.about.name: gathered.measured.calibration}
    other = gathered.other
    if other is not None and other.measured.calibration is not None:
        found[other_name(gathered)] = other.measured.calibration
    return found


def _gate(gathered, names):
    order = np.argsort(gathered.survey.filter_classes, kind="stable")
    return matrix_chart(
        "gate",
        gathered.measured.head.gate_matrix[:, order],
        names,
        [str(k) for k in order],
        hover="filter %{x} is open to %{y} by %{z} %",
        alternative="How open each filter (across) is to each class (down).",
        square=False,
    )


def _compared(gathered):
    several = gathered.about.multi_label
    column = "class_average_precision" if several else "class_recall"
    values = {
        gathered.about.name: gathered.measured.classes[column],
        other_name(gathered): gathered.other.measured.classes[column],
    }
    names = gathered.about.class_names
    if len(names) > MOST_COMPARED:
        return None
    return compared_chart(names, values, TITLES[column])


def curve_list(gathered: Gathered) -> list[Chart]:
    """Returns the charts of the training.

    Args:
        gathered: `Gathered`.
    """
    return curve_charts(gathered.about.history)
