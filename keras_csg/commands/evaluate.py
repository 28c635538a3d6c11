import difflib
import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import keras_csg.evaluation as evaluation
import keras_csg.metrics as metrics
import keras_csg.plots as plots
from keras_csg.choices import MIS_VARIANTS
from keras_csg.commands.arguments import (
    check_choice,
    check_count,
    check_flag,
    check_path,
    check_text,
    logger,
    paths,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run, open_run

NO_GATE = (
    "`ablate` needs a network with a gate: without one no filter belongs to a "
    "class."
)


def evaluate(
    run: Run | str | os.PathLike,
    *,
    mis_variant: str = "paper",
    ablate: str | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 128,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Measures the network of a run on the test split of its data.

    Writes `metrics.json` into the run and, of a gated network, the picture
    `ablation.png`.

    Args:
        run: path of a run directory, or `Run`.
        mis_variant: `"paper"`, or `"picnn"` for a second score, `mis_picnn`,
            over the maps summed before the last activation.
        ablate: str. Name of a class: its confusion matrices without its
            filters, and with them alone, are drawn into
            `ablation-<number>.png`.
        data_dir: path. Where the run's data are now, if they moved.
        batch_size: int.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        The flat dict that `metrics.json` holds; see
        `keras_csg.evaluation.measure`.

    Raises:
        InputError: if there is no such run, it or its data cannot be read, or
            an argument is not as described.

    Example:
    >>> keras_csg.evaluate("runs/demo")["accuracy"]  # doctest: +SKIP
    0.9972
    """
    check_path("run", run)
    check_choice("mis_variant", mis_variant, MIS_VARIANTS)
    check_text("ablate", ablate, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_count("batch_size", batch_size)
    log = logger(log)
    with input_errors():
        opened = _open(run, ablate)
        known = opened.read_metrics()
        model = opened.load_model()
        data = load_run_data(opened, model, data_dir=data_dir, log=log)
        label = None if ablate is None else _label(model, data, ablate)
        log(f"Measuring {opened.path}")
        samples = evaluation.collect_samples(
            model, data.test, batch_size, mis_variant
        )
    figures, ablation = evaluation.measure(model, samples)
    if ablation is not None:
        plots.save_ablation(ablation, model.class_names, opened.ablation_path)
    if label is not None:
        log(f"Drew {_draw_confusion(opened, model, samples, label)}")
    # The figures in their order, then what only the training knew.
    figures |= {k: v for k, v in known.items() if k not in figures}
    with input_errors():
        opened.write_metrics(figures)
    return figures


def evaluate_runs(
    runs: Iterable[Run | str | os.PathLike] | Run | str | os.PathLike,
    *,
    against: bool = False,
    mis_variant: str = "paper",
    ablate: str | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 128,
    log: Callable[[str], Any] | None = print,
) -> dict[str, dict]:
    """Measures several runs on the same data, and puts the figures together.

    Args:
        runs: paths of run directories, or `Run`s; or one of them.
        against: bool. Whether two runs are to be set side by side, such as a
            gated and a standard one.
        mis_variant: see `evaluate`, as the next four.
        ablate: see there.
        data_dir: see there.
        batch_size: see there.
        log: see there.

    Returns:
        A dict with `runs`, a dict from each path to its figures, and
        `difference`, of the first to the second, if `against`; else, of
        several runs, `mean` and `standard_deviation`.

    Raises:
        InputError: if a run is named twice, the runs are on different data,
            there are not two `against` each other, and as `evaluate`.
    """
    check_flag("against", against)
    named = [os.fspath(path) for path in paths("runs", runs)]
    _check_distinct(named)
    if against and len(named) != 2:
        raise InputError(
            "Two runs can be set against each other. "
            f"Received: {len(named)} runs"
        )
    with input_errors():
        _check_same_data(named, [_open(path, ablate) for path in named])
    results = {
        path: evaluate(
            path,
            mis_variant=mis_variant,
            ablate=ablate,
            data_dir=data_dir,
            batch_size=batch_size,
            log=log,
        )
        for path in named
    }
    figures = list(results.values())
    if against:
        difference = evaluation.difference(*figures)
        return {"runs": results, "difference": difference}
    if len(figures) == 1:
        return {"runs": results}
    mean, deviation = evaluation.mean_and_deviation(figures)
    return {"runs": results, "mean": mean, "standard_deviation": deviation}


def _open(path, ablate) -> Run:
    """Returns a run that can be measured, and whose figures can be written."""
    run = open_run(path)
    if not os.access(run.path, os.W_OK):
        raise ValueError(f"Cannot write to {run.path}.")
    if ablate is not None and run.options.standard:
        raise ValueError(NO_GATE)
    return run


def _check_distinct(paths):
    if not paths:
        raise InputError("`runs` must name at least one. Received: runs=[]")
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise InputError(
            f"The same run is named twice. Received: {', '.join(paths)}"
        )


def _check_same_data(paths, runs):
    first = runs[0].options.data
    for path, run in zip(paths, runs, strict=True):
        data = run.options.data
        if data != first and os.path.realpath(data) != os.path.realpath(first):
            raise ValueError(
                f"Runs on different data cannot be compared: {paths[0]} is on "
                f"{first}, {path} on {data}."
            )


def _label(model, data, name):
    """Returns the number of the class that is called `name`."""
    if not model.gated:
        raise ValueError(NO_GATE)
    if name not in data.class_names:
        near = difflib.get_close_matches(name, data.class_names, n=3, cutoff=0)
        raise ValueError(
            f"There is no class {name!r}; the nearest are {', '.join(near)}."
        )
    return data.class_names.index(name)


def _draw_confusion(run, model, samples, label) -> pathlib.Path:
    path = run.confusion_path(label)
    matrices = metrics.ablation_confusion(
        samples.features, samples.labels, evaluation.head_of(model), label
    )
    plots.save_ablation_confusion(matrices, model.class_names, label, path)
    return path
