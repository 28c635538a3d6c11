import difflib
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from keras_csg import evaluation, metrics, plots
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run, open_run


def evaluate(
    run: Run | str | os.PathLike,
    *,
    mis_variant: str = "paper",
    ablate: str | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 128,
    log: Callable[[str], Any] = print,
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
        log: callable that takes a line of progress.

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
    with input_errors():
        run = open_run(run)
        if not os.access(run.path, os.W_OK):
            raise ValueError(f"Cannot write to {run.path}.")
        known = run.read_metrics()
        model = run.load_model()
        data = load_run_data(run, model, data_dir=data_dir, log=log)
        label = None if ablate is None else _label(model, data, ablate)
        log(f"Measuring {run.path}")
        samples = evaluation.collect_samples(
            model, data.test, batch_size, mis_variant
        )
    figures, ablation = evaluation.measure(model, samples)
    if ablation is not None:
        plots.save_ablation(ablation, model.class_names, run.ablation_path)
    if label is not None:
        log(f"Drew {_draw_confusion(run, model, samples, label)}")
    # The figures in their order, then what only the training knew.
    figures |= {k: v for k, v in known.items() if k not in figures}
    with input_errors():
        run.write_metrics(figures)
    return figures


def evaluate_runs(
    runs: Sequence[Run | str | os.PathLike],
    *,
    against: bool = False,
    **settings: Any,
) -> dict[str, dict]:
    """Measures several runs on the same data, and puts the figures together.

    Args:
        runs: paths of run directories, or `Run`s.
        against: bool. Whether two runs are to be set side by side, such as a
            gated and a standard one.
        **settings: other arguments of `evaluate`.

    Returns:
        A dict with `runs`, a dict from each path to its figures, and
        `difference`, of the first to the second, if `against`; else, of
        several runs, `mean` and `standard_deviation`.

    Raises:
        InputError: if a run is named twice, the runs are on different data,
            there are not two `against` each other, and as `evaluate`.
    """
    paths = [os.fspath(r.path if isinstance(r, Run) else r) for r in runs]
    _check_distinct(paths)
    if against and len(paths) != 2:
        raise InputError(
            "Two runs can be set against each other. "
            f"Received: {len(paths)} runs"
        )
    with input_errors():
        opened = _open_on_same_data(paths)
    results = {
        path: evaluate(run, **settings)
        for path, run in zip(paths, opened, strict=True)
    }
    figures = list(results.values())
    if against:
        difference = evaluation.difference(*figures)
        return {"runs": results, "difference": difference}
    if len(figures) == 1:
        return {"runs": results}
    mean, deviation = evaluation.mean_and_deviation(figures)
    return {"runs": results, "mean": mean, "standard_deviation": deviation}


def _check_distinct(paths):
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise InputError(
            f"The same run is named twice. Received: {', '.join(paths)}"
        )


def _open_on_same_data(paths):
    runs = [Run.open(path) for path in paths]
    first = runs[0].options.data
    for path, run in zip(paths, runs, strict=True):
        data = run.options.data
        if data != first and os.path.realpath(data) != os.path.realpath(first):
            raise ValueError(
                f"Runs on different data cannot be compared: {paths[0]} is on "
                f"{first}, {path} on {data}."
            )
    return runs


def _label(model, data, name):
    """Returns the number of the class that is called `name`."""
    if not model.gated:
        raise ValueError(
            "--ablate needs a network with a gate: without one no filter "
            "belongs to a class."
        )
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
