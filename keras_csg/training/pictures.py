"""The pictures that a training leaves in its run directory."""

from typing import Any

import keras

import keras_csg.plots as plots
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.history import History
from keras_csg.training.runs import Run


def draw_run(
    run: Run,
    model: CSGClassifier,
    history: History,
    ablation: Any,
    confusion: Any,
) -> None:
    """Draws the curves, the confusion matrix and, of a gated network, the gate.

    No confusion matrix where an image may have several classes.

    Args:
        run: `Run` whose training has ended.
        model: its `CSGClassifier`.
        history: its `History`.
        ablation: as `evaluate_classification` returns it, as the next.
        confusion: see there.
    """
    names = model.class_names
    plots.save_curves(history.columns(), run.curves_path)
    if confusion is not None:
        plots.save_confusion(confusion, names, run.confusion_path)
    if model.gated:
        draw_gate(run, model)
        plots.save_ablation(ablation, names, run.ablation_path)


def draw_gate(run: Run, model: CSGClassifier) -> None:
    """Draws the gate, with the names of its classes and filters.

    Args:
        run: `Run`.
        model: its `CSGClassifier`, with a gate.
    """
    plots.save_gate(
        keras.ops.convert_to_numpy(model.gate.gate_matrix),
        model.class_names,
        run.gate_path,
        model.filter_names,
    )
