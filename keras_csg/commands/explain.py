import os
import pathlib
from collections.abc import Callable, Iterable
from typing import Any

from keras_csg.commands.arguments import (
    check_callable,
    check_count,
    check_path,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.commands.predict import find_images, open_source
from keras_csg.deployment import ExportedAnswers, explain_answers
from keras_csg.explain import Explanation, explain
from keras_csg.files import check_writable, free_path, write_json
from keras_csg.models import CSGClassifier

NO_CLASS = (
    "`for_class` needs a run or a .keras file: an exported file answers for "
    "the predicted class alone. Received: for_class={!r}"
)


def explain_images(
    source: Any,
    images: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    for_class: str | int | None = None,
    filters: int = 5,
    out: str | os.PathLike | None = None,
    batch_size: int = 32,
    track: Callable[[Any, str, int], Any] = lambda items, text, count: items,
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
        out: path of a folder: of each image a picture of what decided,
            `NAME.explained.png`, and the heatmap over the image at its own
            size, `NAME.heatmap.png`; and `explanations.json`. `None` for no
            files.
        batch_size: int. Images at a time.
        track: callable from an iterable, a text and the number of items to
            the iterable, such as a progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        `keras_csg.explain.Explanation`.

    Raises:
        InputError: if `source` is none of these, a file cannot be read, there
            is no such class, or an argument is not as described.
    """
    check_count("filters", filters)
    check_count("batch_size", batch_size)
    check_path("out", out, optional=True)
    check_callable("track", track)
    log = logger(log)
    files = find_images(images)
    with input_errors():
        if out is not None:
            check_writable(pathlib.Path(out) / "explanations.json")
        if isinstance(source, str | os.PathLike):
            source = open_source(source)
        found = _explain(source, files, for_class, filters, batch_size)
        for limit in found.limits:
            log(limit)
        if out is not None:
            _write(found, pathlib.Path(out), track)
            log(f"Wrote {len(found):,} explanations to {out}")
    return found


def _explain(source, files, for_class, filters, batch_size):
    if isinstance(source, CSGClassifier):
        return explain(
            source, files, for_class, filters=filters, batch_size=batch_size
        )
    if not isinstance(source, ExportedAnswers):
        raise InputError(
            "`source` must be a run, a .keras file or an exported model: its "
            "path, a `CSGClassifier`, or what `keras_csg.open_exported` "
            f"returns. Received: source of type {type(source).__name__}"
        )
    if for_class is not None:
        raise InputError(NO_CLASS.format(for_class))
    return explain_answers(source, files, filters=filters)


def _write(found, folder, track):
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
        save_figure(found.plot(index), path, dpi=110)
        entry["picture"] = str(path)
        if found.predicted.heatmap is not None:
            path = free_path(folder, stem, ".heatmap.png", taken)
            save_pixels(found.overlay(index), path)
            entry["heatmap"] = str(path)
    write_json(folder / "explanations.json", listed)
