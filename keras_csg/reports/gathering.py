"""Everything that a page says of a run, as plain data."""

import dataclasses
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_csg.data import ClassificationData
from keras_csg.evaluation.features import FeatureExtractor
from keras_csg.evaluation.filter_survey import (
    FilterSurvey,
    look_at_filters,
    survey_of,
)
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier
from keras_csg.reports.measuring import Measured, measure_run, read_figures
from keras_csg.reports.mistakes import (
    Mistake,
    find_mistakes,
    right_examples,
)
from keras_csg.reports.pictures import Picture, take_pictures
from keras_csg.training.opening import ShippedRun
from keras_csg.training.options import TrainingOptions
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run

HEATMAPS = {50: 6, 200: 3, 10**9: 1}
"""Images a class whose evidence is shown, by the number of classes."""

Track = Callable[[Any, str], Any]


@dataclasses.dataclass(frozen=True)
class About:
    """What a run is, and how it came about.

    Attributes:
        name: str. What the page calls it.
        options: `TrainingOptions`.
        versions: dict from a package to the version that trained it.
        history: dict from a figure to its values by epoch; empty where there
            is none.
        class_names: list of str.
        multi_label: bool. Whether an image may have several classes.
        gated: bool.
        image_shape: tuple `(height, width, 3)`.
        images: dict from a split to its number of images.
        card: `WeightsCard` of weights that come with the package, or `None`.
    """

    name: str
    options: TrainingOptions
    versions: dict[str, str]
    history: dict[str, list[float]]
    class_names: list[str]
    multi_label: bool
    gated: bool
    image_shape: tuple[int, int, int]
    images: dict[str, int]
    card: Any = None


@dataclasses.dataclass(frozen=True)
class Gathered:
    """What a page says of a run.

    Attributes:
        about: `About`.
        measured: `Measured`.
        survey: `FilterSurvey`.
        mistakes: list of `Mistake`, empty where an image may have several
            classes.
        heatmaps: dict from a class to numbers of images that are told right.
        pictures: dict from an image's number to its `Picture`.
        other: `Other`, the run beside it, or `None`.
    """

    about: About
    measured: Measured
    survey: FilterSurvey
    mistakes: list[Mistake]
    heatmaps: dict[int, list[int]]
    pictures: dict[int, Picture]
    other: "Other | None" = None


@dataclasses.dataclass(frozen=True)
class Other:
    """The run that another is set beside.

    Attributes:
        about: `About`.
        measured: `Measured`.
        agreement: dict with the images that `both`, `first`, `second` and
            `neither` tell right; `None` where they were not measured on the
            same images, or an image may have several classes.
    """

    about: About
    measured: Measured
    agreement: dict[str, int] | None


@dataclasses.dataclass(frozen=True)
class Opened:
    """A run, its model and its data."""

    run: Run
    model: CSGClassifier
    data: ClassificationData
    figures: dict[str, Any]
    about: About


def open_for_report(
    run: Run,
    model: CSGClassifier,
    *,
    data_dir: str | os.PathLike | None = None,
    log: Callable[[str], Any] | None = None,
) -> Opened:
    """Opens a run and its data, so that what is damaged is known at once.

    Args:
        run: finished `Run`.
        model: `CSGClassifier`, the run's.
        data_dir: path. Where the data are now, if they moved.
        log: callable that takes a line of progress.

    Raises:
        ValueError: if the run or its data cannot be read.
    """
    figures, options = read_figures(run), run.options
    history = _history(run)
    data = load_run_data(run, model, data_dir=data_dir, log=log)
    card = run.card if isinstance(run, ShippedRun) else None
    about = About(
        name=_name(run),
        options=options,
        versions=(card.versions if card else run.read_config().versions or {}),
        history=history,
        class_names=list(class_names_of(model)),
        multi_label=model.multi_label,
        gated=model.gated,
        image_shape=data.image_shape,
        images={
            name: getattr(data, name).num_examples
            for name in ("train", "validation", "test")
        },
        card=card,
    )
    return Opened(run, model, data, figures, about)


def gather(
    opened: Opened,
    against: Opened | None = None,
    *,
    images_per_filter: int = 9,
    batch_size: int = 64,
    track: Track = lambda batches, text: batches,
) -> Gathered:
    """Measures all that a page shows.

    Args:
        opened: `Opened`.
        against: `Opened`, of a run of the same classes.
        images_per_filter: int, at least 1.
        batch_size: int.
        track: callable from batches and a text to the batches.

    Raises:
        ValueError: if a network gives values that are not finite.
    """
    model, split = opened.model, opened.data.test
    look = look_at_filters(
        model,
        split.batches(batch_size),
        images_per_filter=images_per_filter,
        track=track,
    )
    measured = measure_run(model, look.samples, opened.figures)
    mistakes = find_mistakes(measured)
    most = next(n for c, n in HEATMAPS.items() if model.num_classes <= c)
    heatmaps = right_examples(measured, most)
    pictures = take_pictures(
        model,
        track(split.batches(batch_size), "Taking pictures"),
        _wanted(mistakes, heatmaps),
    )
    survey = survey_of(model, look)
    other = None
    if against is not None:
        other = _other(opened, measured, against, batch_size, track)
    return Gathered(
        opened.about,
        measured,
        survey,
        mistakes,
        heatmaps,
        pictures,
        other,
    )


def check_same_classes(
    opened: tuple[Run, CSGClassifier], against: tuple[Run, CSGClassifier]
) -> None:
    """Refuses a run of other classes.

    Args:
        opened: tuple of a `Run` and its model.
        against: the same, of the other run.

    Raises:
        ValueError: naming both, and the first class that differs.
    """
    (run, ours), (other_run, theirs) = [
        (run, class_names_of(model)) for run, model in (opened, against)
    ]
    if ours == theirs:
        return
    pairs = enumerate(zip(ours, theirs, strict=False))
    number, (own, other) = next(
        ((n, pair) for n, pair in pairs if pair[0] != pair[1]),
        (min(len(ours), len(theirs)), ("", "")),
    )
    first = f"; class {number} is {own!r} and {other!r}" if own else ""
    raise ValueError(
        "Runs of other classes cannot be set side by side: "
        f"{run} has {len(ours)}, {other_run} {len(theirs)}{first}."
    )


def _wanted(mistakes, heatmaps):
    """Returns the images to keep, and of which classes their evidence."""
    wanted: dict[int, list[int]] = {}
    for label, samples in heatmaps.items():
        for sample in samples:
            wanted.setdefault(sample, []).append(label)
    for mistake in mistakes:
        wanted[mistake.sample] = [mistake.taken_for, mistake.label]
    return wanted


def _other(opened, measured, against, batch_size, track):
    batches = track(against.data.test.batches(batch_size), "Measuring")
    samples = FeatureExtractor(against.model)(batches)
    theirs = measure_run(against.model, samples, against.figures)
    agreement = None
    same = np.array_equal(measured.samples.labels, theirs.samples.labels)
    if measured.predicted is not None and same:
        first, second = (
            m.predicted == m.samples.labels for m in (measured, theirs)
        )
        agreement = {
            "both": int((first & second).sum()),
            "first": int((first & ~second).sum()),
            "second": int((~first & second).sum()),
            "neither": int((~first & ~second).sum()),
        }
    return Other(against.about, theirs, agreement)


def _name(run):
    text = os.fspath(run)
    shipped = isinstance(run, ShippedRun)
    return text if shipped else pathlib.Path(os.path.abspath(text)).name


def _history(run):
    path = run.path / "history.csv"
    try:
        return run.history.columns()
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{error}. Remove {path}, and the page will be without training "
            "curves."
        ) from error
