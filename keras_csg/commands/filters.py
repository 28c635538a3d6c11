import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from keras_csg.choices import SPLITS
from keras_csg.commands.arguments import (
    check_callable,
    check_choice,
    check_count,
    check_folder,
    check_path,
    listed,
    logger,
)
from keras_csg.commands.arguments import names as several_names
from keras_csg.commands.filter_files import write_filter_files
from keras_csg.commands.filter_names_file import (
    read_filter_names,
    with_changes,
)
from keras_csg.commands.input_error import input_errors
from keras_csg.evaluation import FilterSurvey, survey_filters
from keras_csg.evaluation.chosen_batches import ChosenBatches
from keras_csg.models.class_names import class_number
from keras_csg.models.filter_names import filters_called
from keras_csg.training.named_filters import keep_filter_names
from keras_csg.training.opening import ShippedRun, open_run
from keras_csg.training.pictures import draw_gate
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run

NO_GATE = (
    "has no gate: the class of a filter is the one that the head gives it the "
    "largest weight for, and which filters are shared cannot be said."
)
OURS = ("index.html", "filters.csv")
FEW = 20
"""Images of a class below which figures are rough."""


def filters(
    run: Run | str | os.PathLike,
    *,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    split: str = "test",
    out: str | os.PathLike | None = None,
    filters: Iterable[int | str] | int | str | None = None,
    classes: Iterable[str] | str | None = None,
    images_per_filter: int = 9,
    names: str | os.PathLike | Mapping[int, str] | None = None,
    limit: int | None = None,
    batch_size: int = 128,
    track: Callable[[Any, str], Any] = lambda batches, text: batches,
    log: Callable[[str], Any] | None = print,
) -> FilterSurvey:
    """Shows what every filter of a run fires for, and what hangs on it.

    Writes a page of all classes, `index.html`, a page of each,
    `class-NUMBER.html`, `filters.csv` and `filters.json` into `RUN/filters`; of
    some filters alone into `RUN/filters-chosen`, so that all are still there.
    They open from the disk, without any request.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, whose files go
            to `runs/weights-NAME/filters`.
        data: str or path. Other data of the run's classes; `None` for its own.
        data_dir: path. Where the data are now, if they moved.
        split: `"test"`, `"validation"` or `"train"`: the images to look at.
        out: path of the folder to write to.
        filters: numbers or names of the filters to show, or one of them;
            `None` for all.
        classes: names of the classes whose filters to show, or one of them.
        images_per_filter: int. Images of each filter.
        names: path of a CSV file with the columns `filter` and `name`, or of a
            JSON file `{"12": "striped flank"}`, or such a dict: a person's
            names for filters, which are kept with the run, beside those that
            it has. An empty one takes the name away.
        limit: int. Number of images to look at, spread over the split; `None`
            for all.
        batch_size: int. Images at a time.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        `keras_csg.evaluation.FilterSurvey`, of all filters.

    Raises:
        InputError: if there is no such run, class or filter, the images cannot
            be read, or an argument is not as described.

    Example:
    >>> survey = keras_csg.filters("runs/demo")  # doctest: +SKIP
    >>> survey.purity.mean()  # doctest: +SKIP
    0.994
    """
    check_path("run", run)
    check_path("data", data, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_choice("split", split, SPLITS)
    check_path("out", out, optional=True)
    check_count("images_per_filter", images_per_filter)
    check_count("limit", limit, optional=True)
    check_count("batch_size", batch_size)
    check_callable("track", track)
    if not isinstance(names, Mapping):
        check_path("names", names, optional=True)
    wanted = _listed_filters(filters)
    labels = several_names("classes", classes) if classes is not None else None
    log = logger(log)
    with input_errors():
        opened = open_run(run)
        folder = _folder(opened, out, wanted is not None or labels is not None)
        _check_ours(folder)
        model = opened.load_model()
        named = _named(opened, model, names)
        found = load_run_data(
            opened, model, data=data, data_dir=data_dir, log=log
        )
        chosen = _chosen(found.class_names, model, named, wanted, labels)
        batches = ChosenBatches(getattr(found, split), limit, batch_size)
        if not batches.numbers.size:
            raise ValueError(f"There are no images in {split} of {found.name}.")
        if len(batches.numbers) < FEW * model.num_classes:
            log(
                f"Only {len(batches.numbers):,} images are looked at, for "
                f"{model.num_classes:,} classes: take the figures as rough, "
                "and few filters as dead."
            )
        if named != model.filter_names:
            _rename(opened, model, named)
            log(f"{opened} keeps {len(named)} names of filters.")
    if not model.gated:
        log(f"{opened} {NO_GATE}")
    with input_errors():
        survey = survey_filters(
            model, batches, images_per_filter=images_per_filter, track=track
        )
    survey = dataclasses.replace(
        survey.renumbered(batches.numbers), class_names=list(found.class_names)
    )
    if chosen is None:
        shown = None
    else:
        of_labels = np.isin(survey.filter_classes, chosen[1])
        shown = {*chosen[0], *np.flatnonzero(of_labels).tolist()}
    about = {"run": str(opened), "data": found.name, "split": split}
    with input_errors():
        write_filter_files(survey, folder, about, shown, found.multi_label)
    if shown is not None:
        log(f"The pages show {len(shown)} of {survey.filters} filters.")
    log(f"Wrote {folder / 'index.html'}")
    return survey


def filters_folder(
    run: Run | str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    chosen: bool = False,
) -> pathlib.Path:
    """Returns the folder that `filters` writes to.

    Args:
        run: see `filters`.
        out: see there.
        chosen: bool. Whether some filters or classes alone are shown.
    """
    with input_errors():
        return _folder(open_run(run), out, chosen)


def _folder(run, out, chosen):
    if out is not None:
        return pathlib.Path(out)
    return run.path / ("filters-chosen" if chosen else "filters")


def _listed_filters(filters):
    if filters is None:
        return None
    return listed("filters", filters, (int, np.integer, str), (int, str))


def _check_ours(folder):
    """Refuses a folder whose files are of somebody else."""
    check_folder("out", folder)
    foreign = not (folder / "filters.json").exists() and [
        name for name in OURS if (folder / name).exists()
    ]
    if foreign:
        raise ValueError(
            f"{folder / foreign[0]} is of no survey of filters, and stays as "
            "it is: name another folder with `out`."
        )


def _named(run, model, names):
    """Returns the names that the filters are to have."""
    if names is None:
        return model.filter_names
    if isinstance(run, ShippedRun):
        raise ValueError(
            f"Names cannot be kept with {run}, which came with the package: "
            "train a run of your own, `keras-csg train --init "
            f"{run} --out RUN`, and name its filters."
        )
    run.check_writable()
    changes = read_filter_names(names, model.filters)
    return with_changes(model.filter_names, changes)


def _rename(run, model, named):
    keep_filter_names(run, named)
    model.filter_names = named
    if model.gated:
        draw_gate(run, model)


def _chosen(class_names, model, named, wanted, labels):
    """Returns numbers of filters and of classes asked for; `None` for all."""
    if wanted is None and labels is None:
        return None
    numbers = [
        number
        for given in wanted or []
        for number in filters_called(given, model.filters, named)
    ]
    return numbers, [class_number(class_names, name) for name in labels or []]
