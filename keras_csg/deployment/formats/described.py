"""Whether a file is what its metadata say, and answers in numbers."""

import numbers
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_csg.deployment.metadata import Metadata
from keras_csg.untrusted.fields import shorten

OF_CLASSES = ("probabilities", "class_specific_probabilities")
"""Outputs with a number for each class."""
OF_FILTERS = ("filter_contributions",)
"""Outputs with a number for each filter."""
TRUST = (
    "Operations that no export of this package needs can read and write files "
    "or start programs: only if you know who made it, open it with `trust=True`"
    " (`--trust`)"
)
MOST_NAMED = 5


class NoNumbersError(ValueError):
    """A model answered with what is no number."""


def refuse_operations(path: pathlib.Path, names: Iterable[str]) -> None:
    """Refuses a file with operations that no export needs.

    Args:
        path: path of the file.
        names: of the operations.

    Raises:
        ValueError: naming them, if there are any.
    """
    found = sorted(map(shorten, names))
    if found:
        listed = ", ".join(found[:MOST_NAMED])
        listed += f" and {len(found) - MOST_NAMED} more" * (
            len(found) > MOST_NAMED
        )
        raise ValueError(f"{path} was not opened: it has {listed}. {TRUST}.")


def check_described(
    metadata: Metadata,
    path: pathlib.Path,
    shape: Sequence[Any],
    outputs: Mapping[str, Sequence[Any]],
) -> None:
    """Refuses a file whose graph is another than its metadata say.

    Args:
        metadata: the file's `Metadata`.
        path: what to call it.
        shape: of its input; what is no int is free.
        outputs: dict from its outputs to their shapes; free as above.

    Raises:
        ValueError: naming the field.
    """
    said = list(metadata.input["shape"])
    sides = [int(side) if _is_known(side) else None for side in shape]
    fits = len(sides) == 4 and all(
        known is None or known == side
        for side, known in zip(said[1:], sides[1:], strict=True)
    )
    if not fits:
        raise _lie(path, "input.shape", said, f"the graph takes {sides}")
    for name in metadata.outputs:
        if name not in outputs:
            raise _lie(
                path, "outputs", shorten(name), "the graph has no such output"
            )
    filters = metadata.filter_classes and len(metadata.filter_classes)
    for names, count, field in (
        (OF_CLASSES, len(metadata.class_names), "class_names"),
        (OF_FILTERS, filters, "filter_classes"),
    ):
        for name in names:
            last = outputs[name][-1] if outputs.get(name) else None
            if count and _is_known(last) and last != count:
                raise _lie(
                    path, field, f"{count} of them", f"{name} has {last}"
                )


def check_answers(answers: Mapping[str, np.ndarray]) -> None:
    """Refuses answers that are NaN or infinite.

    Args:
        answers: dict of arrays `(batch, ...)`.

    Raises:
        NoNumbersError: naming the output and the image.
    """
    for name, values in answers.items():
        if values.dtype.kind != "f" or np.isfinite(values).all():
            continue
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        row = np.flatnonzero(~finite)[0]
        raise NoNumbersError(
            f"The model's {name} are no numbers (NaN or infinite), of image "
            f"{row} of {len(values)}: its weights are damaged, or its training "
            "diverged."
        )


def _is_known(side):
    return isinstance(side, numbers.Integral) and side > 0


def _lie(path, field, said, found):
    return ValueError(
        f"{path} is not what its metadata say: `{field}` is {said}, and {found}"
    )
