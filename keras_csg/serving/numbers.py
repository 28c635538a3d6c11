"""What becomes of images for which a model has no numbers."""

from collections.abc import Mapping

import numpy as np

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.deployment.formats.described import (
    NoNumbersError,
    check_answers,
)
from keras_csg.serving.errors import FAILED, RequestError

SLACK = 1.0
"""By which resizing may leave 0..255."""


def answer_each(
    exported: ExportedAnswers, images: np.ndarray
) -> dict[str, np.ndarray]:
    """Returns the answers to a batch, NaN for images that have none.

    So that of requests that are answered together each has its own fault.

    Args:
        exported: the model.
        images: array of shape `(batch, height, width, 3)`.
    """
    try:
        return exported.answer(images)
    except NoNumbersError:
        if len(images) == 1:
            raise
    rows = [_answer_or_none(exported, image[None]) for image in images]
    known = next((row for row in rows if row is not None), None)
    if known is None:
        return exported.answer(images[:1])  # Which raises.
    nothing = {
        name: np.full_like(values, np.nan if values.dtype.kind == "f" else 0)
        for name, values in known.items()
    }
    return {
        name: np.concatenate([(row or nothing)[name] for row in rows])
        for name in known
    }


def check_numbers(
    images: np.ndarray, answers: Mapping[str, np.ndarray]
) -> None:
    """Refuses answers that are no numbers, and says whose fault it is.

    Args:
        images: array of shape `(batch, height, width, 3)`.
        answers: dict of arrays.

    Raises:
        RequestError: the client's where pixels are not in 0..255, else the
            model's.
    """
    try:
        check_answers(answers)
    except NoNumbersError as error:
        raise fault_of(images, error) from error


def fault_of(images: np.ndarray, error: NoNumbersError) -> RequestError:
    """Returns whose fault it is that there are no numbers."""
    least, most = float(images.min()), float(images.max())
    if least < -SLACK or most > 255 + SLACK:
        return RequestError(
            "The model has no numbers for such pixels: they must be in 0..255. "
            f"Received: {least:.3g}..{most:.3g}"
        )
    return RequestError(str(error), FAILED)


def _answer_or_none(exported, image):
    try:
        return exported.answer(image)
    except NoNumbersError:
        return None
