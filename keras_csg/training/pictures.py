"""The pictures that a training leaves in its run directory."""

import pathlib
from collections.abc import Callable
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
    log: Callable[[str], Any],
) -> None:
    """Draws the curves, the confusion matrix and, of a gated network, the gate.

    No confusion matrix where an image may have several classes. A picture that
    cannot be drawn is said, and costs nothing but itself.

    Args:
        run: `Run` whose training has ended.
        model: its `CSGClassifier`.
        history: its `History`.
        ablation: as `evaluate_classification` returns it, as the next.
        confusion: see there.
        log: callable that takes a line.

    Raises:
        FileNotFoundError: if the run was removed: what comes last would be
            another folder, and no run.
    """
    run.config_path.stat()
    names = model.class_names
    drawn: dict[pathlib.Path, Callable[[], Any]] = {
        run.curves_path: lambda: plots.save_curves(
            history.columns(), run.curves_path
        )
    }
    if confusion is not None:
        drawn[run.confusion_path] = lambda: plots.save_confusion(
            confusion, names, run.confusion_path
        )
    if model.gated:
        drawn[run.gate_path] = lambda: draw_gate(run, model)
        drawn[run.ablation_path] = lambda: plots.save_ablation(
            ablation, names, run.ablation_path
        )
    for path, draw in drawn.items():
        try:
            draw()
        except Exception as error:  # Of no public class, and the last thing.
            why = " ".join(str(error).split()) or type(error).__name__
            log(f"Warning: {path} could not be drawn: {why}")


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
