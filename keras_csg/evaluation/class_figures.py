"""How well each class is told, and what it is taken for."""

from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from keras_csg.evaluation.flat_figures import with_none
from keras_csg.metrics.calibration import reliability

MOST_CLASSES = 100
"""Classes up to which the figures hold the whole confusion matrix."""


def class_figures(confusion: np.ndarray) -> dict[str, Any]:
    """Returns the figures of each class, and their means.

    Args:
        confusion: int array of shape `(classes, classes)`: images of the class
            of the row that were taken for the class of the column.

    Returns:
        A flat dict:

        - `balanced_accuracy`: mean of the classes' recalls, so that a rare
          class counts as much as a frequent one. Chance is `1 / classes`.
        - `macro_f1`: mean of the classes' F1.
        - `class_precision`, `class_recall`, `class_f1`: lists, by class;
          `None` where a class was never predicted, or has no images.
        - `class_support`: list of the images of each class.
        - `confusion_matrix`: list of lists, of at most `MOST_CLASSES`.

        Classes without images are left out of the means.
    """
    labels = np.arange(len(confusion))
    # Each cell once, weighed by its images: as many samples as there are cells.
    true, predicted = np.indices(confusion.shape).reshape(2, -1)
    precision, recall, f1, _ = precision_recall_fscore_support(
        true,
        predicted,
        labels=labels,
        sample_weight=confusion.reshape(-1),
        zero_division=np.nan,
    )
    support = confusion.sum(axis=1)
    there = support > 0
    figures = {
        "balanced_accuracy": float(recall[there].mean()),
        "macro_f1": float(np.nan_to_num(f1[there]).mean()),
        "class_precision": with_none(precision),
        "class_recall": with_none(recall),
        "class_f1": with_none(np.where(there, f1, np.nan)),
        "class_support": support.tolist(),
    }
    if len(confusion) <= MOST_CLASSES:
        figures["confusion_matrix"] = confusion.tolist()
    return figures


def confusion_of(labels: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Returns what is taken for what, an int array `(classes, classes)`.

    Args:
        labels: ints of shape `(samples,)`.
        logits: array of shape `(samples, classes)`.
    """
    classes = np.arange(logits.shape[1])
    return confusion_matrix(labels, logits.argmax(axis=1), labels=classes)


def told_figures(
    labels: np.ndarray, logits: np.ndarray
) -> tuple[dict[str, Any], np.ndarray]:
    """Returns what can be said of a classifier's answers.

    Args:
        labels: ints of shape `(samples,)`.
        logits: array of shape `(samples, classes)`.

    Returns:
        A flat dict and what `confusion_of` returns. The dict is that of
        `class_figures`, with `ece` and `brier` of the probabilities; see
        `Reliability`.
    """
    confusion = confusion_of(labels, logits)
    found = reliability(softmax(logits, axis=1), labels)
    calibration = {"ece": found.ece, "brier": found.brier}
    return class_figures(confusion) | calibration, confusion
