import os
from collections.abc import Callable
from typing import Any

import keras_csg.plots as plots
from keras_csg.commands.arguments import (
    check_callable,
    check_count,
    check_flag,
    check_path,
    check_text,
    logger,
)
from keras_csg.commands.input_error import input_errors
from keras_csg.data import (
    AnnotatedImages,
    load_annotated,
    load_annotated_images,
)
from keras_csg.evaluation import MapResult, evaluate_maps, evaluate_sanity
from keras_csg.explain import map_gallery
from keras_csg.files import write_json
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run

COARSE = 4
"""Side of maps up to which they hardly tell one place from another."""


def localize(
    run: Run | str | os.PathLike,
    *,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    part: str = "object",
    masks: str | os.PathLike | None = None,
    limit: int | None = 200,
    batch_size: int = 16,
    grid: bool = False,
    mosaics: int = 50,
    track: Callable[[list, str], Any] = lambda batches, text: batches,
    log: Callable[[str], Any] | None = print,
) -> MapResult:
    """Measures where the maps of a run point: at the object, or elsewhere.

    Writes `localization.json` and the picture `localization.png` into the run.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, whose files go
            to `runs/weights-NAME`.
        data: see `load_run_images`, as the next four.
        data_dir: see there.
        part: see there.
        masks: see there.
        limit: see there.
        batch_size: int. Images at a time.
        grid: bool. Whether to play the grid pointing game where there are
            annotations, too.
        mosaics: int. Mosaics of the grid pointing game.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        `MapResult`; its `figures` are what `localization.json` holds.

    Raises:
        InputError: if there is no such run, it or its images cannot be read,
            or an argument is not as described.
    """
    check_count("batch_size", batch_size)
    check_count("mosaics", mosaics)
    check_flag("grid", grid)
    check_callable("track", track)
    log = logger(log)
    opened, model, annotated = _open(
        run,
        log,
        data=data,
        data_dir=data_dir,
        part=part,
        masks=masks,
        limit=limit,
    )
    rows, columns = model.backbone.output_shape[1:3]
    if max(rows, columns) <= COARSE:
        log(
            f"The maps are {rows}x{columns}: too coarse to point at much. "
            "Larger images or `gate_at` make finer ones."
        )
    result = evaluate_maps(
        model,
        annotated,
        part=part,
        batch_size=batch_size,
        grid=grid,
        mosaics=mosaics,
        track=track,
        log=log,
    )
    gallery = map_gallery(model, annotated)
    with input_errors():
        write_json(opened.file("localization.json"), result.figures)
        picture = opened.file("localization.png")
        plots.save_maps(
            gallery.images,
            gallery.maps,
            picture,
            masks=gallery.masks,
            titles=gallery.titles,
        )
    return result


def sanity_check(
    run: Run | str | os.PathLike,
    *,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    part: str = "object",
    masks: str | os.PathLike | None = None,
    limit: int | None = 200,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Compares the maps of a run with those of a network ever more random.

    Writes `sanity.json` into the run.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, whose files go
            to `runs/weights-NAME`.
        data: see `load_run_images`, as the next four.
        data_dir: see there.
        part: see there.
        masks: see there.
        limit: see there.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        What `keras_csg.evaluation.evaluate_sanity` returns.

    Raises:
        InputError: as `localize`.
    """
    opened, model, annotated = _open(
        run,
        logger(log),
        data=data,
        data_dir=data_dir,
        part=part,
        masks=masks,
        limit=limit,
    )
    results = evaluate_sanity(model, annotated)
    with input_errors():
        write_json(opened.file("sanity.json"), results)
    return results


def _open(run, log, **images) -> tuple[Run, Any, AnnotatedImages]:
    """Returns the run, its model and the chosen images."""
    check_path("run", run)
    check_path("data", images["data"], optional=True)
    check_path("data_dir", images["data_dir"], optional=True)
    check_text("part", images["part"])
    check_path("masks", images["masks"], optional=True)
    check_count("limit", images["limit"], optional=True)
    with input_errors():
        run = open_run(run)
        run.check_writable()
        model = run.load_model()
        return run, model, load_run_images(run, model, log=log, **images)


def load_run_images(
    run: Run,
    model: Any,
    *,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    part: str = "object",
    masks: str | os.PathLike | None = None,
    limit: int | None = 200,
    log: Callable[[str], Any] = print,
) -> AnnotatedImages:
    """Loads images of a run's classes, and where their objects are.

    Args:
        run: `Run`.
        model: its `CSGClassifier`.
        data: str or path. Other data than the run's, of the same classes.
        data_dir: path. Where the data are now, if they moved.
        part: str. What the maps should point at: `"object"`, or a part that
            is annotated.
        masks: path of a folder of mask files.
        limit: int. Number of images, spread over the test split; `None` for
            all.
        log: callable that takes a line of progress.

    Raises:
        ValueError: if the images cannot be read or are of other classes.
    """
    which: dict[str, Any] = {"part": part, "masks": masks, "limit": limit}
    if data is None and model.multi_label:
        raise ValueError(
            f"The images of {run} have several classes, and a map points at "
            "one: name `data` of the same classes with one an image."
        )
    if data is None:
        own = load_run_data(run, model, data_dir=data_dir, log=log)
        return load_annotated(own, **which)
    return load_annotated_images(
        data,
        model.class_names,
        model.input_shape[1:3],
        data_dir=data_dir or run.options.data_dir,
        **model.image_reading,
        max_pixels=run.options.max_pixels,
        log=log,
        **which,
    )
