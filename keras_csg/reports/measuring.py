"""What a run's network answers on its test split, from one pass over it."""

import dataclasses
import math
from typing import Any

import numpy as np
from scipy.special import softmax

import keras_csg.metrics as metrics
from keras_csg.evaluation.class_figures import class_figures, confusion_of
from keras_csg.evaluation.classification import measure
from keras_csg.evaluation.features import SplitFeatures, head_of
from keras_csg.evaluation.multi_label import told_of_several
from keras_csg.metrics.ablation import Ablation
from keras_csg.metrics.calibration import Reliability, reliability
from keras_csg.models.classifier import CSGClassifier
from keras_csg.reports.sentences import SENTENCES
from keras_csg.training.runs import Run

COLUMNS = (
    "class_average_precision",
    "class_precision",
    "class_recall",
    "class_f1",
    "class_support",
)
SAME = 5e-4
"""Accuracies nearer than this are taken for one."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """What was measured of a network on a split of N images and C classes.

    Attributes:
        figures: flat dict of numbers: those of `metrics.json`, and what was
            not in it.
        classes: dict from a name, such as `class_recall`, to a list of C
            numbers; `None` where one is not defined.
        confusion: int array `(C, C)`, true classes down; `None` where an image
            may have several classes, as are the next three.
        calibration: `Reliability`.
        predicted: int array `(N,)`.
        confidence: float array `(N, 2)`: the probability of the predicted
            class and of the true one.
        ablation: `Ablation`, of a gated network.
        notes: list of str: what the reader has to know of the figures.
        samples: `SplitFeatures`.
        head: `Head`.
    """

    figures: dict[str, Any]
    classes: dict[str, list]
    confusion: np.ndarray | None
    calibration: Reliability | None
    predicted: np.ndarray | None
    confidence: np.ndarray | None
    ablation: Ablation | None
    notes: list[str]
    samples: SplitFeatures
    head: metrics.Head


def read_figures(run: Run) -> dict[str, Any]:
    """Returns the figures of a run's `metrics.json`, empty without one.

    Raises:
        ValueError: if the file is damaged.
    """
    figures = run.read_metrics()
    broken = None if isinstance(figures, dict) else "it holds no figures"
    for name in SENTENCES if broken is None else ():
        value = figures.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (number and math.isfinite(value)):
            broken = f"{name} is {str(value)[:40]!r}"
    if broken is not None:
        raise ValueError(
            f"{run.metrics_path} is damaged: {broken}. Remove it, and measure "
            f"again with `keras-csg evaluate {run}`."
        )
    return figures


def measure_run(
    model: CSGClassifier,
    samples: SplitFeatures,
    known: dict[str, Any],
) -> Measured:
    """Measures what is not known of a network.

    Args:
        model: `CSGClassifier`.
        samples: `SplitFeatures` of its test split.
        known: flat dict of figures that were measured before.

    Returns:
        `Measured`.
    """
    head = head_of(model)
    score = "mean_average_precision" if model.multi_label else "accuracy"
    # What is cheap is measured anyway: it has to fit what is drawn.
    now = _answers(model, samples, head)
    notes = []
    if known.get(score) is None:
        known = measure(model, samples).figures
        notes.append(
            "The run had no metrics.json: its figures were measured for this "
            "page."
        )
    elif abs(known[score] - now["figures"][score]) > SAME:
        notes.append(
            f"Its metrics.json says that {score.replace('_', ' ')} is "
            f"{known[score]:.4f}; measured for this page it is "
            f"{now['figures'][score]:.4f}. The images or the software have "
            "changed since: measure again with `keras-csg evaluate`."
        )
    figures = {k: v for k, v in known.items() if k in SENTENCES}
    missing = {k: v for k, v in now.pop("figures").items() if k not in figures}
    columns = {
        name: known[name]
        for name in ("filters_per_class",)
        if len(known.get(name) or ()) == model.num_classes
    }
    return Measured(
        figures=figures | missing,
        classes=now.pop("classes") | columns,
        notes=notes,
        samples=samples,
        head=head,
        **now,
    )


def _answers(model, samples, head):
    """Returns what follows from the logits alone."""
    logits = head.logits(samples.features)
    if model.multi_label:
        return _several_answers(model, samples, head, logits)
    labels = samples.labels
    probabilities = softmax(logits, axis=1)
    calibration = reliability(probabilities, labels)
    confusion = confusion_of(labels, logits)
    told = class_figures(confusion)
    predicted = logits.argmax(axis=1)
    rows = np.arange(len(labels))
    both = np.stack(
        [probabilities[rows, predicted], probabilities[rows, labels]], axis=1
    )
    figures = {
        "examples": len(labels),
        "filters": head.filters,
        "accuracy": float(np.mean(predicted == labels)),
        "balanced_accuracy": told["balanced_accuracy"],
        "macro_f1": told["macro_f1"],
        "ece": calibration.ece,
        "brier": calibration.brier,
    }
    return {
        "figures": figures,
        "classes": {k: told[k] for k in COLUMNS if k in told},
        "confusion": confusion,
        "calibration": calibration,
        "predicted": predicted,
        "confidence": both,
        "ablation": metrics.ablation(samples.features, labels, head)
        if model.gated
        else None,
    }


def _several_answers(model, samples, head, logits):
    """Returns the same where an image may have several classes."""
    features, labels, _ = samples
    told = told_of_several(labels, logits)
    return {
        "figures": {
            "examples": len(labels),
            "filters": head.filters,
            "mean_average_precision": told["mean_average_precision"],
        },
        "classes": {k: told[k] for k in COLUMNS if k in told},
        "confusion": None,
        "calibration": None,
        "predicted": None,
        "confidence": None,
        "ablation": metrics.multi_label_ablation(features, labels, head).recalls
        if model.gated
        else None,
    }
