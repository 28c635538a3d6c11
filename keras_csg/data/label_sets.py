"""Labels of either kind: a class of each image, or several.

A number for each image, `(images,)`, or zeros and ones `(images, classes)`.
"""

from collections.abc import Sequence

import numpy as np

NONE = "-"
"""Stands in a table for the classes of an image that has none."""
SEPARATORS = "|;"
"""What parts an image's classes in a table; the first is what we write."""


def images_per_class(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns how many images each class has, ints `(num_classes,)`.

    Args:
        labels: array of either kind.
        num_classes: int.
    """
    if labels.ndim == 2:
        return np.count_nonzero(labels, axis=0)
    return np.bincount(labels, minlength=num_classes)


def leading_class(labels: np.ndarray) -> np.ndarray:
    """Returns one class of each image, the one to share it out by.

    Of several the rarest: the others have more images to share out. An image
    without any class has the number after the last.

    Args:
        labels: array of either kind.

    Returns:
        int array of shape `(images,)`.
    """
    if labels.ndim == 1:
        return labels
    counts = np.count_nonzero(labels, axis=0)
    rarest = np.where(labels > 0, counts, len(labels) + 1).argmin(axis=1)
    return np.where(labels.any(axis=1), rarest, labels.shape[1])


def renumbered(labels: np.ndarray, number_of: np.ndarray) -> np.ndarray:
    """Returns labels by other numbers of the classes.

    Args:
        labels: array of either kind.
        number_of: int array with the new number of each class, -1 for those
            that are left out; of several that become one the same.

    Returns:
        An array of the same kind; of one class an image -1 where that is left
        out.
    """
    if labels.ndim == 1:
        return number_of[labels]
    found = np.zeros((len(labels), number_of.max() + 1), labels.dtype)
    for old, new in enumerate(number_of):
        if new >= 0:
            found[:, new] = np.maximum(found[:, new], labels[:, old])
    return found


def names_of_each(labels: np.ndarray, class_names: Sequence[str]) -> list[str]:
    """Returns what a table says of each image's classes.

    Args:
        labels: array of either kind.
        class_names: list of str.
    """
    if labels.ndim == 1:
        return [class_names[label] for label in labels]
    return [
        joined(
            [name for name, has in zip(class_names, row, strict=True) if has]
        )
        for row in labels
    ]


def joined(names: Sequence[str]) -> str:
    """Returns an image's classes as a table has them."""
    return SEPARATORS[0].join(names) or NONE
