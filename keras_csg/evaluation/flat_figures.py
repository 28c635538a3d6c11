"""Figures as flat dicts that JSON can hold."""

import math
from collections.abc import Iterable, Mapping
from typing import Any


def without_nan(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Replaces NaN, which JSON cannot express, by `None`.

    Args:
        figures: flat dict of figures.

    Returns:
        A dict with the same names in the same order.
    """
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in figures.items()
    }


def with_none(values: Iterable[float]) -> list[float | None]:
    """Returns numbers as a list that JSON can hold: `None` for NaN.

    Args:
        values: numbers.
    """
    return [None if math.isnan(value) else float(value) for value in values]


def flat_figures(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns the rows of a table as one flat dict.

    Args:
        rows: dict from a row's name to a dict of its figures.

    Returns:
        dict from `<row>_<figure>` to the figure, `None` for NaN.
    """
    return without_nan(
        {
            f"{row}_{name}": value
            for row, figures in rows.items()
            for name, value in figures.items()
        }
    )
