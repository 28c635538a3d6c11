import os
import pathlib
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

import keras_csg.edit as edit
import keras_csg.evaluation as evaluation
import keras_csg.plots as plots
from keras_csg.backbones.multiply_adds import multiply_adds
from keras_csg.commands.arguments import (
    check_count,
    check_flag,
    check_path,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.edit.choosing import Classes
from keras_csg.evaluation.features import FeatureExtractor
from keras_csg.evaluation.measured_edits import (
    measure_edit,
    measure_without_telling,
)
from keras_csg.files import write_json
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.edited_runs import (
    check_free,
    edited_options,
    new_run,
    write_edited,
)
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run

ONE_OF = (
    "remove_filters",
    "remove_class",
    "keep_classes",
    "prune_shared",
    "prune_dead",
)
NOTABLE = 0.01  # Recall that a class may lose before it is said in words.


def edit_run(
    run: Run | str | os.PathLike,
    out: str | os.PathLike,
    *,
    remove_filters: int | Iterable[int] | None = None,
    remove_class: Classes | None = None,
    keep_classes: Classes | None = None,
    prune_shared: bool = False,
    prune_dead: bool = False,
    against: Run | str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 128,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Takes filters or classes out of the network of a run, into a new run.

    No training; images are read for the figures, and for `prune_dead`. The new
    run is written whole or not at all: `model.keras`, `config.json` with the
    classes that are left, `metrics.json`, pictures and `edit.json`, what this
    returns. Every other command takes it, but `train --resume`, and `train
    --init` where filters are gone: they say so.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`; it stays as it
            is.
        out: path of the new run directory.
        remove_filters: int or several; see `keras_csg.edit.remove_filters`.
            Exactly one of this and the next four is to be given.
        remove_class: name or number of a class, or several; see
            `keras_csg.edit.remove_class`.
        keep_classes: names or numbers; see `keras_csg.edit.keep_classes`.
        prune_shared: bool; see `keras_csg.edit.prune_shared`.
        prune_dead: bool; see `keras_csg.edit.prune_dead`. Dead are filters
            that answer the same on all training images.
        against: path of another run, `Run`, or `weights:NAME`: an ungated
            network on the same data. It loses as many filters, those that tell
            the removed classes best on the validation split, and is measured
            beside.
        data_dir: path. Where the data are now, if they moved.
        batch_size: int.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        A dict that JSON can hold: `from`, `removed_filters`,
        `removed_classes`, `shared_filters`, `selected` and `notes` of the
        `EditReport`; `seconds` that the edit took; `parameters` and
        `file_bytes`, dicts of `before` and `after`, the files without an
        optimizer's state; what
        `keras_csg.evaluation.edit_figures` returns, on the test split; and
        `against`, the same of the other network with its `run` and
        `removed_filters`, `None` without.

    Raises:
        InputError: if there is no such run, filter or class (the nearest are
            named), too little would be left, the run has no gate and needs
            one, the data cannot be read, or an argument is not as described.

    Example:
    >>> keras_csg.edit_run(  # doctest: +SKIP
    ...     "weights:cifar10", "runs/no-cats", remove_class="cat"
    ... )["mean_after"]
    0.908
    """
    check_path("run", run)
    check_path("out", out)
    check_path("against", against, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_count("batch_size", batch_size)
    check_flag("prune_shared", prune_shared)
    check_flag("prune_dead", prune_dead)
    log = logger(log)
    given = {
        "remove_filters": remove_filters,
        "remove_class": remove_class,
        "keep_classes": keep_classes,
        "prune_shared": prune_shared or None,
        "prune_dead": prune_dead or None,
    }
    name, value = _only_one(given)
    with input_errors():
        opened = open_run(run)
        check_free(pathlib.Path(out))
        other = _open_against(opened, name, against)
        model = opened.load_model()
        if name == "prune_dead":  # Which are dead takes images.
            data = load_run_data(opened, model, data_dir=data_dir, log=log)
            log("Looking for filters that answer always the same")
            value = FeatureExtractor(model)(data.train.batches(batch_size))
            value = value.features
        started = time.perf_counter()
        edited = _edited(model, name, value)
        seconds = time.perf_counter() - started
        report = edited.edit_report
        removed = [class_names_of(model).index(n) for n in report.classes]
        for line in report.lines():
            log(line)
        left = edited.class_names if report.classes else None
        options = edited_options(opened, left, data_dir)
        if name != "prune_dead":
            data = load_run_data(opened, model, data_dir=data_dir, log=log)
        log(f"Measuring before and after on {data.test.num_examples:,} images")
        figures, samples = measure_edit(
            model, edited, removed, data.test, batch_size
        )
        compared = None
        if other is not None:
            compared = _compare(
                other, report, model.class_names, data, batch_size
            )
        result = {
            "from": str(opened),
            "removed_filters": report.filters,
            "removed_classes": report.classes,
            "shared_filters": report.shared,
            "selected": report.selected,
            "notes": report.notes,
            "seconds": round(seconds, 3),
            "parameters": {
                "before": report.parameters_before,
                "after": report.parameters,
            },
            "file_bytes": {
                "before": _file_bytes(model),
                "after": _file_bytes(edited),
            },
            **figures,
            "against": compared,
        }
        with new_run(out) as new:
            found = write_edited(
                new,
                edited,
                opened,
                options,
                filters_before=model.filters,
                classes=report.classes,
            )
            _check_same_images(found, samples)
            _write_figures(new, edited, samples, result)
    _say_drop(result, log)
    return result


def _only_one(given):
    chosen = {k: v for k, v in given.items() if v is not None}
    if len(chosen) != 1:
        named = ", ".join(f"`{name}`" for name in chosen) or "none"
        raise InputError(
            f"Exactly one of {', '.join(f'`{name}`' for name in ONE_OF)} says "
            f"what to take away. Received: {named}"
        )
    return next(iter(chosen.items()))


def _edited(model, name, value) -> CSGClassifier:
    given = () if name == "prune_shared" else (value,)
    return getattr(edit, name)(model, *given)


def _open_against(run, name, against):
    """Returns the other network, checked before anything is measured."""
    if against is None:
        return None
    if name not in ("remove_class", "keep_classes"):
        raise ValueError(
            "`against` compares how classes are removed: it goes with "
            f"`remove_class` or `keep_classes`. Received: `{name}`"
        )
    other = open_run(against)
    if not other.options.standard:
        raise ValueError(
            f"`against` must be a network without a gate, and {other} has one."
        )
    here, there = run.options.data, other.options.data
    if here != there and os.path.realpath(here) != os.path.realpath(there):
        raise ValueError(
            f"Runs on different data cannot be compared: {run} is on {here}, "
            f"{other} on {there}."
        )
    return other


def _compare(other, report, class_names, data, batch_size):
    """Measures the ungated network without as many of its filters."""
    model = other.load_model()
    if model.class_names != class_names:
        raise ValueError(
            f"`against` must know the same classes. Received: {other}, of "
            f"{', '.join(class_names_of(model))}"
        )
    if model.input_shape[1:] != data.image_shape:
        raise ValueError(
            "`against` must take images of the same size. Received: "
            f"{other}, of {model.input_shape[1]}x{model.input_shape[2]}"
        )
    numbers = [model.class_names.index(name) for name in report.classes]
    figures = measure_without_telling(
        model,
        data.validation,
        data.test,
        numbers,
        len(report.filters),
        batch_size,
    )
    return {"run": str(other), **figures}


def _file_bytes(model):
    """Returns the size of the file without an optimizer's state."""
    model.optimizer = None
    model.compiled = False
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        return path.stat().st_size


def _check_same_images(data, samples):
    """Refuses data of which the test split is another without the classes."""
    if data.test.num_examples != len(samples.labels):
        raise ValueError(
            f"Without the classes {data.name} has {data.test.num_examples:,} "
            f"test images, and {len(samples.labels):,} of its test split now "
            "are of the others: its splits would change. Edit the network in "
            "Python, by `keras_csg.edit`."
        )


def _write_figures(run, model, samples, result):
    """Writes what `evaluate` would, and what the edit did."""
    figures, ablation, confusion = evaluation.measure(model, samples)
    figures["parameters"] = result["parameters"]["after"]
    try:
        figures["multiply_adds"] = multiply_adds(model)
    except ValueError:
        figures["multiply_adds"] = None
    names = model.class_names
    if confusion is not None:
        plots.save_confusion(confusion, names, run.confusion_path)
    if ablation is not None:
        plots.save_gate(edit.gate_of(model), names, run.gate_path)
        plots.save_ablation(ablation, names, run.ablation_path)
    run.write_metrics(figures)
    write_json(run.path / "edit.json", result)


def _say_drop(result, log):
    worst = result["largest_drop"]
    if worst["drop"] is not None and worst["drop"] > NOTABLE:
        log(
            f"The recall of {worst['class']} fell by "
            f"{100 * worst['drop']:.1f} points."
        )
