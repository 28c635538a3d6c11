"""The data of a run: at its start, and when they are looked at again."""

import contextlib
import dataclasses
import itertools
import logging
import os
from collections.abc import Callable

from keras_csg.data import (
    ClassificationData,
    load_data,
    long_tailed,
    moved_name,
)
from keras_csg.data.sources.known import find_source
from keras_csg.data.sources.known_images import count_seen
from keras_csg.data.sources.request import checked_request
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.options import TrainingOptions, switched
from keras_csg.training.runs import Run


def load_data_for(
    options: TrainingOptions,
    *,
    run: Run | None = None,
    data_dir: str | os.PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> ClassificationData:
    """Loads the data that a run's options name.

    Args:
        options: `TrainingOptions`.
        run: `Run` that was trained on them: what it has seen stays where it
            was.
        data_dir: path. Where the data are now, if they moved: the folder of
            images itself, or that of TensorFlow Datasets.
        log: Callable that takes a line of progress, `None` for `logging`.

    Returns:
        `ClassificationData`.

    Raises:
        ValueError: if the data cannot be loaded, or have other classes than
            the run was begun with.
    """
    name = options.data
    if data_dir is not None:
        name = moved_name(name, data_dir)
    known = run.read_listing() if run else None
    request = checked_request(
        name,
        data_dir=data_dir or options.data_dir,
        image_size=options.image_size,
        validation_split=options.validation_split,
        seed=options.seed,
        cache=switched(options.cache),
        splits=options.splits,
        drop_duplicates=options.drop_duplicates,
        labels=options.labels,
        multi_label=options.multi_label,
        classes=options.classes,
        rename_classes=options.rename_classes,
        merge_classes=options.merge_classes,
        hold_out_classes=options.hold_out_classes,
        **options.reading,
        known=known,
        # Before runs kept a list, what is held out hung on all images.
        shuffled=run is not None and known is None and run.keeps_listing,
        log=log,
    )
    try:
        source = find_source(request.name, request.data_dir)
    except ValueError as error:
        if run is None or data_dir is not None:
            raise
        raise ValueError(
            f"{error}; where the run's data are now is said with `data_dir`"
        ) from error
    found = source(request).load()
    if found.multi_label != options.multi_label:  # A source of somebody's own.
        raise ValueError(
            f"`multi_label` must be {found.multi_label}, as the labels of "
            f"{found.name} are. Received: multi_label={options.multi_label}"
        )
    if known is not None and known.class_names:
        found = _with_classes_of(run, known.class_names, found)
    if options.long_tail is not None:
        found = long_tailed(found, options.long_tail, options.seed)
    return found


def load_run_data(
    run: Run,
    model: CSGClassifier,
    *,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    log: Callable[[str], None] | None = None,
) -> ClassificationData:
    """Loads a run's data, which may have changed since it was trained.

    Args:
        run: `Run`.
        model: its `CSGClassifier`.
        data: str or path. Other data of the same classes; `None` for the
            run's.
        data_dir: path. Where the run's data are now, if they moved; of `data`,
            where TensorFlow Datasets keeps it.
        log: Callable that takes a line of progress, `None` for `logging`.

    Returns:
        `ClassificationData`.

    Raises:
        ValueError: if the data cannot be loaded, or have other classes.
    """
    if data is None:
        found = load_data_for(run.options, run=run, data_dir=data_dir, log=log)
        _check_known(found)
    else:
        found = _load_other(run.options, model, data, data_dir, log)
        found = _with_what_was_seen(
            run, found, log or logging.getLogger(__name__).info
        )
    known = model.class_names or found.class_names
    if len(known) != model.num_classes:  # Of a network without names.
        raise ValueError(
            f"{run} was trained on other classes than {found.name} has now: "
            f"{model.num_classes} then, {len(known)} now."
        )
    return _with_classes_of(run, known, found)


def _load_other(options, model, data, data_dir, log):
    """Loads other data, with the classes that a run made of its own data's.

    Those may be there under the names that they had, or under the new ones.
    """
    arguments = {
        "data_dir": data_dir or options.data_dir,
        "image_size": model.input_shape[1:3],
        "validation_split": options.validation_split,
        "seed": options.seed,
        "cache": switched(options.cache),
        **options.reading,
        "log": log,
    }
    if options.multi_label:  # A table that is called the same.
        table = os.path.join(data, os.path.basename(options.labels or ""))
        arguments |= {"labels": table, "multi_label": True}
    names = (
        "classes",
        "rename_classes",
        "merge_classes",
        "hold_out_classes",
    )
    choice = {name: getattr(options, name) for name in names}
    if any(choice.values()):
        with contextlib.suppress(ValueError):
            return load_data(data, **arguments, **choice)
    return load_data(data, **arguments)


def _with_classes_of(run, known, found):
    """Returns data with the classes in a run's order; refuses others."""
    names = list(known)
    if sorted(found.class_names) != sorted(names):
        raise ValueError(
            f"{run} was trained on other classes than {found.name} has now: "
            f"{len(names)} then, {found.num_classes} now"
            f"{_first_difference(names, found.class_names)}."
        )
    return found.in_order_of(names)


def _check_known(found):
    """Refuses a set that has changed and whose images are not known."""
    if found.changes and not found.listing.contents:
        raise ValueError(
            f"{found.changes} Which of its images were trained on cannot be "
            "told: ask for the version of that time, or say with `data` that "
            "it is to be measured on all the same."
        )


def _with_what_was_seen(run, data, log):
    """Counts images of other data that the run was trained on."""
    known, listing = run.read_listing(), data.listing
    if not (known and known.contents and listing and listing.contents):
        return data
    tested = [
        listing.contents[path]
        for path in listing.images.get("test", ())
        if path in listing.contents
    ]
    seen = count_seen(tested, known)
    if seen:
        log(
            f"The run was trained on {seen:,} of the {len(tested):,} images "
            f"that {data.name} is tested on: figures are too good by them."
        )
    return dataclasses.replace(data, trained_on=seen)


def _first_difference(then, now):
    for number, (old, new) in enumerate(itertools.zip_longest(then, now)):
        if old != new:
            return f"; class {number} was {old!r} and is {new!r}"
    return ""
