"""A survey of filters as rows of plain values, which JSON can hold."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_csg.evaluation.filter_survey import FilterSurvey
from keras_csg.evaluation.flat_figures import without_nan
from keras_csg.metrics.gates import SHARED_FROM


def survey_figures(survey: FilterSurvey) -> dict[str, Any]:
    """Returns what a survey says of all filters together.

    Args:
        survey: `FilterSurvey`.

    Returns:
        A flat dict: `samples`, `classes`, `filters`, `gated`; the counts
        `shared`, `dead` and `duplicates`, of pairs; the means over the filters
        `purity` and `mis`, of what a filter knows of its class. `None` stands
        for a figure that is not defined.
    """
    return without_nan(
        {
            "samples": survey.samples,
            "classes": len(survey.class_names),
            "filters": survey.filters,
            "gated": survey.gate_matrix is not None,
            "shared": int(survey.shared.sum()),
            "dead": int(survey.dead.sum()),
            "duplicates": len(survey.duplicates),
            "purity": _mean(survey.purity),
            "mis": _mean(survey.own_information),
        }
    )


def survey_tables(
    survey: FilterSurvey, filters: Iterable[int] | None = None
) -> dict[str, Any]:
    """Returns a survey without its images and maps.

    Args:
        survey: `FilterSurvey`.
        filters: numbers of those that are wanted; `None` for all.

    Returns:
        A dict: `figures`, see `survey_figures`; `classes` and `filters`, see
        `class_rows` and `filter_rows`; `duplicates`, a list of dicts with
        `filter`, `other` and `correlation`, where one of them is wanted.
    """
    wanted = set(range(survey.filters) if filters is None else filters)
    return {
        "figures": survey_figures(survey),
        "duplicates": [
            {"filter": first, "other": second, "correlation": value}
            for first, second, value in survey.duplicates
            if first in wanted or second in wanted
        ],
        "classes": class_rows(survey),
        "filters": filter_rows(survey, sorted(wanted)),
    }


def class_rows(survey: FilterSurvey) -> list[dict[str, Any]]:
    """Returns a dict for each class, in their order.

    Args:
        survey: `FilterSurvey`.

    Returns:
        list of dicts: `class`, its name, and `number`; `filters`, how many it
        has; `purity` and `mis`, their means; `recall`, `recall_without` all of
        them, and `recall_lost`, the difference.
    """
    return [
        without_nan(
            {
                "class": name,
                "number": number,
                "filters": int(own.sum()),
                "purity": _mean(survey.purity[own]),
                "mis": _mean(survey.own_information[own]),
                "recall": float(survey.recall[number]),
                "recall_without": float(survey.recall_without_all[number]),
                "recall_lost": float(
                    survey.recall[number] - survey.recall_without_all[number]
                ),
            }
        )
        for number, name in enumerate(survey.class_names)
        for own in [survey.filter_classes == number]
    ]


def filter_rows(
    survey: FilterSurvey, filters: Iterable[int] | None = None
) -> list[dict[str, Any]]:
    """Returns a dict for each filter, in their order.

    Args:
        survey: `FilterSurvey`.
        filters: numbers of those that are wanted; `None` for all.

    Returns:
        list of dicts: `filter`, its number, and `name`, `""` without one;
        `class` and `class_number`; `gate`, how open it is to the class, `None`
        without a gate; `purity`, `information` on its class in nats,
        `mean_activation` over the images of its class; `recall` of the class,
        `recall_without` this filter, and `recall_lost`, the difference;
        `shared` and `dead`; `serves`, the classes that it is open to;
        `duplicates`, numbers of filters from the most alike down; `images`,
        numbers in the split of those that fire it most.
    """
    alike = _duplicates(survey)
    wanted = range(survey.filters) if filters is None else filters
    return [_filter_row(survey, k, alike.get(k, [])) for k in wanted]


def _filter_row(survey, k, alike):
    label = int(survey.filter_classes[k])
    gate = survey.gate_matrix
    recall, without = survey.recall[label], survey.recall_without[k]
    return without_nan(
        {
            "filter": int(k),
            "name": survey.filter_names.get(k, ""),
            "class": survey.class_names[label],
            "class_number": label,
            "gate": None if gate is None else float(gate[label, k]),
            "purity": float(survey.purity[k]),
            "information": float(survey.information[label, k]),
            "mean_activation": float(survey.class_means[label, k]),
            "recall": float(recall),
            "recall_without": float(without),
            "recall_lost": float(recall - without),
            "shared": bool(survey.shared[k]),
            "dead": bool(survey.dead[k]),
            "serves": [survey.class_names[c] for c in _served(gate, k, label)],
            "duplicates": alike,
            "images": [int(n) for n in survey.top_samples[k] if n >= 0],
        }
    )


def _served(gate, k, label):
    if gate is None:
        return [label]
    return np.flatnonzero(gate[:, k] >= SHARED_FROM)


def _duplicates(survey):
    """Returns the duplicates of each filter that has some, a dict of lists."""
    found: dict[int, list[int]] = {}
    for first, second, _ in survey.duplicates:
        found.setdefault(first, []).append(second)
        found.setdefault(second, []).append(first)
    return found


def _mean(values):
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
