"""Images of a size that a model of images of any size cannot take."""

import re
from collections.abc import Callable

import numpy as np

from keras_csg.deployment.image_batches import takes_any_size
from keras_csg.deployment.metadata import Metadata

OF_SHAPES = re.compile(
    r"shape|dims?\b|dimension|size|broadcast|negative|kernel|failed to prepare",
    re.IGNORECASE,
)
"""What runtimes say where an operation does not fit what it is given."""
OF_MEMORY = re.compile(
    r"allocat|bad_alloc|out of memory|\boom\b|exhausted", re.IGNORECASE
)
"""What they say of a size that fits, but not into memory."""


class SizeError(ValueError):
    """Images of a size that the model cannot take."""


def size_error(
    error: Exception, images: np.ndarray, metadata: Metadata
) -> SizeError | None:
    """Returns what to say where a runtime cannot take images of a size.

    Its own words are of a layer that whoever asks knows nothing of.

    Args:
        error: the runtime's.
        images: array of shape `(batch, height, width, 3)`, what it was given.
        metadata: the model's `Metadata`.

    Returns:
        `SizeError`; `None` where it failed for another reason.
    """
    words = str(error)
    fits = not OF_SHAPES.search(words) or OF_MEMORY.search(words)
    if not takes_any_size(metadata) or fits:
        return None
    return of_size(images)


def check_maps(
    answers: dict[str, np.ndarray], images: np.ndarray, metadata: Metadata
) -> None:
    """Refuses answers without a number, from maps of no pixel.

    Args:
        answers: dict of arrays `(batch, ...)`.
        images: array of shape `(batch, height, width, 3)`.
        metadata: the model's `Metadata`.

    Raises:
        SizeError: naming the size.
    """
    if takes_any_size(metadata) and not all(x.size for x in answers.values()):
        raise of_size(images)


def check_size(images: np.ndarray, metadata: Metadata) -> None:
    """Refuses images smaller than the model takes.

    Args:
        images: array of shape `(batch, height, width, 3)`.
        metadata: the model's `Metadata`. Those of before do not tell.

    Raises:
        SizeError: naming the size.
    """
    least = metadata.input.get("least_size", (1, 1))
    if any(np.less(images.shape[1:3], least)):
        raise of_size(images)


def require_taken(
    answer: Callable[..., dict], images: np.ndarray, metadata: Metadata
) -> None:
    """Refuses images to prove a file on that its model cannot take itself.

    Args:
        answer: the `keras.Model` that a file is made of.
        images: array of shape `(batch, height, width, 3)`.
        metadata: the model's `Metadata`.

    Raises:
        SizeError: naming the size.
    """
    if not takes_any_size(metadata):
        return
    try:
        answer(images[:1], training=False)
    except Exception as error:  # All sorts, by the layer.
        said = size_error(error, images, metadata)
        if said is None:
            raise
        raise SizeError(
            f"{said}: prove the file on `images` of a size that it takes."
        ) from error


def of_size(images: np.ndarray) -> SizeError:
    """Returns the error that names the size of images.

    Args:
        images: array of shape `(batch, height, width, 3)`.
    """
    height, width = images.shape[1:3]
    return SizeError(f"the model takes no image of {width}x{height}")
