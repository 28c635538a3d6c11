"""What the sections of a page say: words and rows of tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras_csg.reports.comparing import TITLES, beside, other_name
from keras_csg.reports.gathering import Gathered
from keras_csg.reports.mistakes import confused_pairs
from keras_csg.reports.recipe import command_of, training_facts
from keras_csg.reports.sentences import (
    COLUMNS,
    GROUPS,
    SENTENCES,
    percent,
    shown,
)

TILES = (
    "accuracy",
    "mean_average_precision",
    "class_specific_accuracy",
    "class_specific_mean_average_precision",
    "ece",
    "specificity",
    "balanced_accuracy",
    "macro_f1",
)
MOST_TILES = 4
EPOCH_COLUMNS = (
    "epoch",
    "accuracy",
    "val_accuracy",
    "average_precision",
    "val_average_precision",
    "class_specific_accuracy",
    "val_class_specific_accuracy",
    "loss",
    "val_loss",
    "l1_density",
    "val_mis",
    "learning_rate",
    "seconds",
)


def words_of(gathered: Gathered) -> dict[str, Any]:
    """Returns what templates put into words and tables, by name.

    Args:
        gathered: `Gathered`.
    """
    about, measured = gathered.about, gathered.measured
    figures = measured.figures
    facts = training_facts(about)
    examples = int(figures.get("examples") or len(measured.samples.labels))
    versions = ", ".join(f"{k} {v}" for k, v in about.versions.items())
    wrong = 0
    if measured.predicted is not None:
        wrong = int((measured.predicted != measured.samples.labels).sum())
    columns, rows = epoch_table(about.history)
    return {
        "lead": _lead(gathered, examples),
        "notes": measured.notes,
        "tiles": [
            {
                "label": SENTENCES[name].label,
                "text": shown(name, figures[name]),
                "meaning": SENTENCES[name].meaning,
                "good": SENTENCES[name].good,
            }
            for name in TILES
            if name in figures
        ][:MOST_TILES],
        "facts": facts,
        "command": command_of(about.options),
        "versions": versions,
        "figure_groups": figure_groups(gathered),
        "class_columns": _class_columns(gathered),
        "column_meanings": _column_meanings(gathered),
        "class_rows": class_rows(gathered),
        "pairs": confused_pairs(measured.confusion)
        if measured.confusion is not None
        else [],
        "bins": _bins(measured.calibration),
        "calibration_words": _calibration_words(measured.calibration),
        "epoch_columns": columns,
        "epoch_rows": rows,
        "ablation_words": _ablation_words(figures),
        "wrong": wrong,
        "examples": examples,
        **beside(gathered, facts, examples),
    }


def _lead(gathered, examples):
    about, figures = gathered.about, gathered.measured.figures
    names = ", ".join(about.class_names[:4])
    more = len(about.class_names) - 4
    if more > 0:
        names += f" and {more:,} more"
    if about.multi_label:
        name, asked = "mean_average_precision", "are in it"
        told = "its mean average precision is"
    else:
        name, asked = "accuracy", "it is of"
        told = "it names the right class of"
    return (
        f"A network that looks at an image and says which of "
        f"{len(about.class_names):,} classes {asked}: {names}. On "
        f"{examples:,} images that were held out from its training, {told} "
        f"{shown(name, figures[name])}."
    )


def figure_groups(gathered: Gathered) -> list[dict[str, Any]]:
    """Returns the tables of figures: all that there is a sentence for.

    Args:
        gathered: `Gathered`.
    """
    figures = gathered.measured.figures
    others = gathered.other.measured.figures if gathered.other else {}
    groups = []
    for group, title in GROUPS.items():
        rows = [
            {
                "name": name,
                "value": figures.get(name),
                "text": shown(name, figures[name]) if name in figures else "–",
                "other_value": others.get(name),
                "other_text": shown(name, others[name])
                if name in others
                else "–",
                **sentence._asdict(),
            }
            for name, sentence in SENTENCES.items()
            if sentence.group == group and (name in figures or name in others)
        ]
        if rows:
            groups.append({"title": title, "rows": rows})
    return groups


def _columns(gathered):
    there = gathered.measured.classes
    return [name for name in TITLES if name in there]


def _class_columns(gathered):
    columns = [(TITLES[name], name) for name in _columns(gathered)]
    if gathered.other is not None:
        columns.append((f"Recall, {other_name(gathered)}", ""))
    return columns


def _column_meanings(gathered):
    return [
        (TITLES[name], COLUMNS[name])
        for name in _columns(gathered)
        if name in COLUMNS
    ]


def class_rows(gathered: Gathered) -> list[dict[str, Any]]:
    """Returns the rows of the table of classes.

    Args:
        gathered: `Gathered`.
    """
    there = gathered.measured.classes
    columns = [(there[name], name) for name in _columns(gathered)]
    if gathered.other is not None:
        columns.append((gathered.other.measured.classes["class_recall"], ""))
    counts = ("class_support", "filters_per_class")
    return [
        {
            "name": name,
            "cells": [
                {
                    "value": values[c],
                    "text": f"{values[c]:,}"
                    if column in counts
                    else percent(values[c]),
                }
                for values, column in columns
            ],
        }
        for c, name in enumerate(gathered.about.class_names)
    ]


def _bins(calibration):
    if calibration is None:
        return []
    edges = calibration.edges
    return [
        {
            "range": f"{100 * edges[i]:.0f}–{100 * edges[i + 1]:.0f} %",
            "count": int(count),
            "confidence": float(calibration.confidence[i]),
            "accuracy": float(calibration.accuracy[i]),
        }
        for i, count in enumerate(calibration.counts)
        if count
    ]


def _calibration_words(calibration):
    if calibration is None:
        return ""
    counts = calibration.counts
    there = counts > 0
    gap = (calibration.confidence - calibration.accuracy)[there] @ counts[there]
    gap = float(gap / counts.sum())
    if calibration.ece < 0.01:
        kind = "It means what it says: on average it is"
    elif gap > 0:
        kind = "It is surer than it should be: on average it is"
    else:
        kind = "It is more often right than it says: on average it is"
    return (
        "When the model says that it is 80 % sure, it should be right in 80 of "
        f"100 cases. {kind} {100 * calibration.ece:.1f} points off (the "
        "calibration error, ECE)."
    )


def _ablation_words(figures):
    away = figures.get("removed_own_recall")
    rest = figures.get("removed_other_recall")
    if away is None or rest is None:
        return ""
    return (
        f"Without a class's filters {percent(away)} of its images are found "
        f"on average, and {percent(rest)} of those of the other classes. If "
        "filters are of one class each, the first picture is empty on its "
        "diagonal alone, and the second is empty beside it; a column that is "
        "filled there is the class it names when it sees nothing."
    )


def epoch_table(
    history: Mapping[str, Sequence[float]],
) -> tuple[list[str], list[list[str]]]:
    """Returns headings and rows of what was measured in each epoch.

    Args:
        history: dict from a figure to its values by epoch.
    """
    columns = [name for name in EPOCH_COLUMNS if name in history]
    headings = [
        name.replace("val_", "held out: ").replace("_", " ") for name in columns
    ]
    values = zip(*(history[name] for name in columns), strict=True)
    return headings, [[_short(value) for value in row] for row in values]


def _short(value):
    return "" if math.isnan(value) else f"{value:.4g}"
