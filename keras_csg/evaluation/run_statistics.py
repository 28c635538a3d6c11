"""Figures of several runs, put together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Figures = dict[str, Any]


def mean_and_deviation(runs: Sequence[Figures]) -> tuple[Figures, Figures]:
    """Averages each figure over several runs.

    Args:
        runs: list of at least two flat dicts of figures: numbers or lists of
            numbers, which are averaged entry by entry.

    Returns:
        Two flat dicts: means and standard deviations (`ddof=1`, of a sample
        of runs). They hold the figures that every run has, as numbers of the
        same shape.

    Raises:
        ValueError: if there are fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError(
            f"`runs` must hold at least two runs. Received: {len(runs)}"
        )
    columns = _columns(runs)
    means = {k: v.mean(axis=0).tolist() for k, v in columns.items()}
    deviations = {k: v.std(axis=0, ddof=1).tolist() for k, v in columns.items()}
    return means, deviations


def difference(run: Figures, other: Figures) -> Figures:
    """Returns how much larger each figure of one run is than another's.

    Args:
        run: flat dict of figures: numbers or lists of numbers.
        other: the same.

    Returns:
        A flat dict with the figures that both have.
    """
    return {k: (a - b).tolist() for k, (a, b) in _columns([run, other]).items()}


def _columns(runs):
    """Returns the arrays `(runs, ...)` of the figures that all runs have."""
    columns = {}
    for name in runs[0]:
        values = [run.get(name) for run in runs]
        if None in values or len({np.shape(value) for value in values}) > 1:
            continue
        column = np.array(values)
        if column.dtype.kind in "iuf":
            columns[name] = column
    return columns
