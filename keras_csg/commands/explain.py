import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_csg.commands.arguments import (
    check_callable,
    check_count,
    check_flag,
    check_folder,
    check_path,
    check_there,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.commands.predict import find_images, open_source
from keras_csg.data.image_files import in_threads
from keras_csg.data.image_reading import ImageReading
from keras_csg.deployment import ExportedAnswers, explain_answers
from keras_csg.evaluation import survey_filters
from keras_csg.evaluation.chosen_batches import ChosenBatches
from keras_csg.explain import Explanation, explain
from keras_csg.files import free_path, write_json
from keras_csg.models import CSGClassifier
from keras_csg.models.float32 import in_float32
from keras_csg.reports.filter_crops import filter_galleries
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data

GALLERY = 3
"""Images that fire a filter most, of each that is drawn."""
BATCH_SIZE = 128
NO_OTHER = (
    "`{name}` needs a run or a .keras file: an exported file answers for the "
    "predicted class alone, with all filters. Received: {name}={value!r}"
)


def explain_images(
    source: Any,
    images: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    for_class: str | int | None = None,
    filters: int = 5,
    without: int | str | Iterable[int | str] = (),
    out: str | os.PathLike | None = None,
    galleries: bool = False,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 32,
    trust: bool = False,
    track: Callable[..., Any] = lambda items, text, count=None: items,
    log: Callable[[str], Any] | None = print,
) -> Explanation:
    """Explains what is predicted of image files, filter by filter.

    Args:
        source: path of a run directory, of a `.keras` file, or of an exported
            file or folder; `weights:NAME`; `Run`; `CSGClassifier`; or what
            `keras_csg.open_exported` returns.
        images: paths of image files, of folders of them, or patterns such as
            `"photos/*.jpg"`; or one of these.
        for_class: name or number of a class to explain beside the predicted
            one; `None` for the second likeliest.
        filters: int. Number of filters to look at of each class.
        without: numbers or names of filters that are switched off; or one.
        out: path of a folder: of each image a picture of what decided,
            `NAME.explained.png`, and the heatmap over the image at its own
            size, `NAME.heatmap.png`, with `for_class` also that of the other
            class, `NAME.other.heatmap.png`; and `explanations.json`. `None`
            for no files.
        galleries: bool. Whether to draw what each filter looks for, too: the
            images of the run's test split that fire it most.
        data_dir: path. Where the run's data are now, if they moved.
        batch_size: int. Images at a time.
        trust: bool. Whether an exported file may have operations that no
            export needs; see `keras_csg.open_exported`.
        track: callable from an iterable, a text and the number of items to
            the iterable, such as a progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        `keras_csg.explain.Explanation`, of the images that could be read; its
        `unread` says what is wrong with the others.

    Raises:
        InputError: if `source` is none of these, no file can be read, there
            is no such class, or an argument is not as described.
    """
    check_count("filters", filters)
    check_count("batch_size", batch_size)
    check_path("out", out, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_flag("galleries", galleries)
    check_flag("trust", trust)
    check_callable("track", track)
    log = logger(log)
    files = find_images(images, log)
    check_there(files)
    with input_errors():
        if out is not None:
            check_folder("out", pathlib.Path(out))
        run = _run_of(source, out) if galleries else None
        if isinstance(source, str | os.PathLike):
            source = open_source(source, trust=trust)
        asked = {"for_class": for_class, "without": without}
        files, unread = _readable(source, files)
        found = _explain(source, files, asked, filters, batch_size)
        found = dataclasses.replace(found, unread=unread)
        for message in unread:
            log(f"{message}: passed over.")
        for limit in found.limits:
            log(limit)
        if out is not None:
            shown = {}
            if run is not None:
                shown = _galleries(run, source, found, data_dir, track, log)
            with_other = for_class is not None
            _write(found, pathlib.Path(out), shown, with_other, track)
            number = len(found)
            what = "explanation" if number == 1 else "explanations"
            log(f"Wrote {number:,} {what} to {out}")
    return found


def _readable(source, files):
    """Returns the files that can be read, and what is wrong with the others.

    Raises:
        ValueError: if none can be read.
    """
    reading = _reading(source)
    if reading is None or len(files) == 1:
        return files, []
    reasons = in_threads(reading.why_broken, files)
    unread = [
        f"Cannot read the image {path}: {reason}"
        for path, reason in zip(files, reasons, strict=True)
        if reason
    ]
    if len(unread) == len(files):
        raise ValueError(f"None of {len(files):,} images is whole. {unread[0]}")
    return [f for f, r in zip(files, reasons, strict=True) if not r], unread


def _reading(source):
    """Returns the `ImageReading` of what is asked, if it has one."""
    if isinstance(source, CSGClassifier):
        return ImageReading(**source.image_reading)
    if isinstance(source, ExportedAnswers):
        return source.metadata.reading
    return None


def _run_of(source, out):
    """Returns the run whose data have the images that fire filters."""
    if out is None:
        raise InputError("`galleries` are drawn: name a folder, `out`.")
    try:
        return open_run(source)
    except (ValueError, TypeError):
        raise InputError(
            "`galleries` are of a run's data: name a run, as its path, `Run` "
            f"or `weights:NAME`. Received: source={source!r}"
        ) from None


def _galleries(run, model, found, data_dir, track, log):
    """Returns the images that fire most each filter which is drawn."""
    data = load_run_data(run, model, data_dir=data_dir, log=log)
    survey = survey_filters(
        model,
        ChosenBatches(data.test, None, BATCH_SIZE),
        images_per_filter=GALLERY,
        track=track,
    )
    drawn = {
        int(number)
        for evidence in (found.predicted, found.other)
        for number in np.unique(evidence.filters)
    }
    return filter_galleries(survey, drawn, GALLERY)


def _explain(source, files, asked, filters, batch_size):
    if isinstance(source, CSGClassifier):
        return explain(
            in_float32(source),
            files,
            filters=filters,
            batch_size=batch_size,
            **asked,
        )
    if not isinstance(source, ExportedAnswers):
        raise InputError(
            "`source` must be a run, a .keras file or an exported model: its "
            "path, a `CSGClassifier`, or what `keras_csg.open_exported` "
            f"returns. Received: source of type {type(source).__name__}"
        )
    for name, value in asked.items():
        if value not in (None, (), []):
            raise InputError(NO_OTHER.format(name=name, value=value))
    return explain_answers(source, files, filters=filters)


def _write(found, folder, galleries, with_other, track):
    """Writes pictures of each image, and what they say as JSON."""
    from keras_csg.plots.saving import save_figure, save_pixels

    folder.mkdir(parents=True, exist_ok=True)
    taken = {pathlib.Path(picture.name).resolve() for picture in found.pictures}
    listed = found.to_dict()
    for index, entry in track(
        enumerate(listed["images"]), "Drawing", len(found)
    ):
        stem = pathlib.Path(entry["image"]).stem
        path = free_path(folder, stem, ".explained.png", taken)
        save_figure(found.plot(index, galleries), path, dpi=110)
        entry["picture"] = str(path)
        if found.predicted.heatmap is not None:
            path = free_path(folder, stem, ".heatmap.png", taken)
            save_pixels(found.overlay(index), path)
            entry["heatmap"] = str(path)
        if with_other:
            path = free_path(folder, stem, ".other.heatmap.png", taken)
            save_pixels(found.overlay(index, other=True), path)
            entry["other_heatmap"] = str(path)
    write_json(folder / "explanations.json", listed)
