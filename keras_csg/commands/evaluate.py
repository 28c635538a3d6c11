import os
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
from keras_csg.models.class_names import class_number
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.run_folders import short_name
from keras_csg.training.runs import Run

NO_GATE = (
    "`ablate` needs a network with a gate: without one no filter belongs to a "
    "class."
)
NO_CONFUSION = (
    "`ablate` draws what a class's images are taken for, and images of a run "
    "with `multi_label` have several: `ablation.png` has all classes."
)


def evaluate(
    run: Run | str | os.PathLike,
    *,
    mis_variant: str = "paper",
    ablate: str | None = None,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 128,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Measures the network of a run on the test split of its data.

    Writes `metrics.json` into the run, the picture `confusion.png` where an
    image has one class and, of a gated network, `ablation.png`; of other data
    than the run's, `metrics-DATA.json` and so on.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, of
            `keras_csg.list_weights()`; what is written of those goes to
            `runs/weights-NAME`.
        mis_variant: `"paper"`, or `"picnn"` for a second score, `mis_picnn`,
            over the maps summed before the last activation.
        ablate: str. Name of a class: its confusion matrices without its
            filters, and with them alone, are drawn into
            `ablation-<number>.png`.
        data: str or path. Data of the same classes to measure on; `None` for
            the run's.
        data_dir: path. Where the data are now, if they moved.
        batch_size: int.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        The flat dict that `metrics.json` holds; see
        `keras_csg.evaluation.measure`. Of other `data`, `trained_on` is how
        many of their test images the run was trained or validated on.

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
    check_path("data", data, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_count("batch_size", batch_size)
    log = logger(log)
    with input_errors():
        opened = _open(run, ablate)
        other = _other_data(opened, data)
        # Of the run's own data the training knew more than is measured here.
        known = {} if other else opened.read_metrics()
        model = opened.load_model()
        if ablate is not None and model.class_names:
            _label(model, model.class_names, ablate)  # Before data are read.
        found = load_run_data(
            opened, model, data=data, data_dir=data_dir, log=log
        )
        label = None
        if ablate is not None:
            label = _label(model, found.class_names, ablate)
        log(f"Measuring {opened}")
        samples = evaluation.collect_samples(
            model, found.test, batch_size, mis_variant
        )
    figures, ablation, confusion = evaluation.measure(model, samples)
    figures |= {k: v for k, v in known.items() if k not in figures}
    if found.trained_on is not None:
        figures["trained_on"] = found.trained_on
    names = model.class_names
    with input_errors():
        if confusion is not None:
            path = opened.file(f"confusion{other}.png")
            plots.save_confusion(confusion, names, path)
        if ablation is not None:
            path = opened.file(f"ablation{other}.png")
            plots.save_ablation(ablation, names, path)
        if label is not None:
            path = opened.file(f"ablation{other}-{label}.png")
            plots.save_ablation_confusion(
                _confusion(model, samples, label), names, label, path
            )
            log(f"Drew {path}")
        opened.write_metrics(figures, of=other)
    return figures


def evaluate_runs(
    runs: Iterable[Run | str | os.PathLike] | Run | str | os.PathLike,
    *,
    against: bool = False,
    mis_variant: str = "paper",
    ablate: str | None = None,
    data: str | os.PathLike | None = None,
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
        data: see there.
        data_dir: see there.
        batch_size: see there.
        log: see there.

    Returns:
        A dict with `runs`, a dict from each path to its figures, and
        `difference`, of the first to the second, if `against`; else, of
        several runs, `mean` and `standard_deviation`.

    Raises:
        InputError: if a run is named twice, the runs are on different data
            and `data` is `None`, there are not two `against` each other, and
            as `evaluate`.
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
        opened = [_open(path, ablate) for path in named]
        if data is None:
            _check_same_data(named, opened)
    results = {
        path: evaluate(
            path,
            mis_variant=mis_variant,
            ablate=ablate,
            data=data,
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
    run.check_writable()
    if ablate is not None and run.options.standard:
        raise ValueError(NO_GATE)
    if ablate is not None and run.options.multi_label:
        raise ValueError(NO_CONFUSION)
    return run


def _other_data(run, data):
    """Returns what names of files say of other data than the run's: `-NAME`."""
    if data is None:
        return ""
    own = run.options.data
    if own in (os.fspath(data), os.path.abspath(os.path.expanduser(data))):
        return ""
    return f"-{short_name(data)}"


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


def _label(model, names, name):
    """Returns the number of the class that is called `name`."""
    if not model.gated:
        raise ValueError(NO_GATE)
    return class_number(names, name)


def _confusion(model, samples, label):
    return metrics.ablation_confusion(
        samples.features, samples.labels, evaluation.head_of(model), label
    )
