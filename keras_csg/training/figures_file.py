"""The figures of a run, as `metrics.json` has them."""

import pathlib
from typing import Any

from keras_csg.training.checksums import Checksums
from keras_csg.training.record import read_json
from keras_csg.untrusted.fields import (
    figure,
    list_of,
    or_none,
    record,
    table_of,
    whole,
)

SHAPED = record({}, {"filters_per_class": or_none(list_of(whole()))})
"""Figures that are a list."""


def read_figures(checksums: Checksums, path: pathlib.Path) -> dict[str, Any]:
    """Reads the figures of a run, if they are what was written.

    Args:
        checksums: `Checksums` of the run.
        path: path of the file.

    Raises:
        ValueError: if it is damaged, or has other things than figures.
    """
    way_out = f"Remove {path}."
    found = read_json(checksums, path, way_out)
    try:
        figures = table_of(figure)(found, "it")
        return {**figures, **SHAPED(figures, "figures")}
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}. {way_out}") from None
