"""Figures of a classifier whose images may have several classes."""

from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.metrics import precision_recall_fscore_support

import keras_csg.metrics as metrics
from keras_csg.evaluation.filter_figures import (
    correlation_figures,
    density_figures,
    information_figures,
)
from keras_csg.evaluation.flat_figures import with_none, without_nan
from keras_csg.metrics.average_precision import THRESHOLD


def multi_label_figures(
    features: np.ndarray,
    labels: np.ndarray,
    head: metrics.Head,
    *,
    n_jobs: int = 1,
) -> dict[str, Any]:
    """Measures what needs no gate.

    Args:
        features: array of shape `(samples, filters)`, finite: the global
            averages of the maps.
        labels: zeros and ones of shape `(samples, classes)`.
        head: `Head`.
        n_jobs: int. Number of threads.

    Returns:
        A flat dict:

        - `examples`, `filters`: int. `labels_per_example`: mean number of an
          image's classes.
        - `mean_average_precision`, and `class_average_precision`, a list: see
          `keras_csg.metrics.average_precision`; chance is a class's share of
          the images.
        - `macro_f1`, `class_precision`, `class_recall`, `class_f1`,
          `class_support`: of the classes with a probability of at least 0.5,
          as for one class an image.
        - `exact_match`: share of the images whose classes are all told, and
          no others.
        - `mis`, `own_class_mis`, `specificity`, `class_agreement`,
          `dead_filters` and the correlations: as of `network_figures`, each
          class against the images without it. `class_mis`: a list, what a
          class's filters know of it on average.

        `None` stands for a figure that is not defined.

    Raises:
        ValueError: if an argument is not as described.
    """
    features, labels = metrics.check_samples(
        features, labels, head, multi_hot=True
    )
    logits = head.logits(features)
    classes = head.classes_of_filters()
    dead = metrics.dead_filters(features)
    information = metrics.mutual_information(
        features, labels, num_classes=head.num_classes, n_jobs=n_jobs
    )
    return without_nan(
        {
            "examples": len(labels),
            "filters": head.filters,
            "labels_per_example": float(labels.sum(axis=1).mean()),
            **told_of_several(labels, logits),
            **information_figures(information, classes, dead),
            "class_mis": with_none(_class_mis(information, classes)),
            "specificity": metrics.specificity(information, labels, classes),
            "dead_filters": int(dead.sum()),
            **correlation_figures(features, head.kernel, classes),
        }
    )


def multi_label_gate_figures(
    features: np.ndarray,
    labels: np.ndarray,
    head: metrics.Head,
    *,
    density: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measures what the gate's filters know.

    Args:
        features: see `multi_label_figures`.
        labels: see there.
        head: `Head` with a gate.
        density: float in `(0, 1]`, the gate's budget; `None` for
            `1 / classes`.
        seed: int. Seed of the shuffle.

    Returns:
        A flat dict:

        - `class_specific_mean_average_precision`, and
          `class_specific_class_average_precision`, a list: of the head whose
          logits sum over each class's own filters alone.
        - `gated_mean_average_precision`: through the union of the gate rows
          of an image's classes, so the labels enter.
        - `complement_mean_average_precision`, `complement_probability`:
          without the filters of any of an image's classes; the latter is the
          mean probability of its classes then. 0 of a perfect network.
        - `shuffled_class_specific_mean_average_precision`: with the gate's
          rows shuffled among the classes; chance where classes are known by
          their own filters.
        - `l1_density`, `l1_interval`, `filters_per_class`, `shared_filters`:
          as of `gate_figures`.

    Raises:
        ValueError: if an argument is not as described.
    """
    features, labels = metrics.check_samples(
        features, labels, head, multi_hot=True
    )
    rows = metrics.shuffled_rows(head.num_classes, seed)
    without = head.complement_logits(features, labels)
    paths = {
        "class_specific": head.class_specific_logits(features),
        "gated": head.gated_logits(features, labels),
        "complement": without,
        "shuffled_class_specific": head.class_specific_logits(features, rows),
    }
    specific = metrics.average_precision(labels, paths["class_specific"])
    told = expit(without[labels])
    return without_nan(
        {
            **{
                f"{path}_mean_average_precision": (
                    metrics.mean_average_precision(labels, logits)
                )
                for path, logits in paths.items()
            },
            "class_specific_class_average_precision": with_none(specific),
            "complement_probability": _mean(told),
            **density_figures(head.require_gate(), density),
        }
    )


def told_of_several(labels: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
    """Returns what can be said of a classifier's answers.

    Args:
        labels: bools of shape `(samples, classes)`.
        logits: array of that shape.

    Returns:
        A flat dict, `mean_average_precision` to `class_support` of
        `multi_label_figures`.
    """
    labels = np.asarray(labels, bool)
    return {
        "mean_average_precision": metrics.mean_average_precision(
            labels, logits
        ),
        "class_average_precision": with_none(
            metrics.average_precision(labels, logits)
        ),
        **_told(labels, logits >= THRESHOLD),
    }


def _told(labels, predicted):
    """Returns the figures of what is told at a probability of 0.5."""
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, average=None, zero_division=np.nan
    )
    there = support > 0
    return {
        "exact_match": float((labels == predicted).all(axis=1).mean()),
        "macro_f1": _mean(np.nan_to_num(f1[there])),
        "class_precision": with_none(precision),
        "class_recall": with_none(np.where(there, recall, np.nan)),
        "class_f1": with_none(np.where(there, f1, np.nan)),
        "class_support": support.tolist(),
    }


def _class_mis(information, classes):
    """Returns the mean information of each class's filters, `(classes,)`."""
    return np.array(
        [_mean(own[classes == label]) for label, own in enumerate(information)]
    )


def _mean(values):
    return float(values.mean()) if values.size else float("nan")
