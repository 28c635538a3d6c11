from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_csg.data.splits.image_split import ImageSplit


class AnnotatedImages(NamedTuple):
    """Images of which is known where the object is.

    Attributes:
        images: uint8 array of shape `(n, height, width, 3)`.
        labels: int array of shape `(n,)`.
        masks: bool array of shape `(n, height, width)`, none of them empty;
            `None` if the data have no annotations.
    """

    images: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None


def spread(numbers: np.ndarray, limit: int | None, part: str) -> np.ndarray:
    """Returns at most `limit` of some numbers, spread evenly over them.

    Args:
        numbers: int array of shape `(n,)`: the annotated images of a split.
        limit: int, at least 1; `None` for all.
        part: str. What is annotated, for the error.

    Raises:
        ValueError: if there are none.
    """
    if len(numbers) == 0:
        raise ValueError(
            "The annotations must belong to images of the test split. "
            f"Received: none for part={part!r}"
        )
    if limit is None or limit >= len(numbers):
        return numbers
    positions = (np.arange(limit) + 0.5) * len(numbers) / limit
    return numbers[positions.astype(int)]


def read_images(
    split: ImageSplit, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns images and labels at the given, sorted, places of a split."""
    images, labels, start, size = [], [], 0, 256
    for batch_images, batch_labels in split.batches(size):
        own = numbers[(numbers >= start) & (numbers < start + size)] - start
        images.append(batch_images.numpy()[own])
        labels.append(batch_labels.numpy()[own])
        start += size
    return np.concatenate(images), np.concatenate(labels)


def without_empty(
    images: np.ndarray, labels: np.ndarray, masks: np.ndarray
) -> AnnotatedImages:
    """Leaves out images whose object was cropped away."""
    shown = masks.any(axis=(1, 2))
    return AnnotatedImages(images[shown], labels[shown], masks[shown])


def choose_annotated(
    split: ImageSplit,
    numbers: np.ndarray,
    read_masks: Callable[[np.ndarray], np.ndarray],
    part: str,
    limit: int | None,
) -> AnnotatedImages:
    """Returns at most `limit` of a split's annotated images.

    Args:
        split: `ImageSplit`.
        numbers: int array of shape `(n,)`, sorted: the annotated images.
        read_masks: Callable from some of the numbers to their masks, bool
            `(numbers, height, width)`.
        part: str. What is annotated, for the error.
        limit: int, at least 1; `None` for all.

    Raises:
        ValueError: if no image is annotated.
    """
    chosen = spread(numbers, limit, part)
    found = without_empty(*read_images(split, chosen), read_masks(chosen))
    if not len(found.labels):
        raise ValueError(
            "The annotations must show something. Received: "
            f"{len(chosen)} images whose masks are empty for part={part!r}"
        )
    return found
