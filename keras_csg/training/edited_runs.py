"""Runs whose network was edited after its training."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

from keras_csg.data import ClassificationData, moved_name
from keras_csg.files import cannot_write, check_folder, hidden_part
from keras_csg.training.options import TrainingOptions
from keras_csg.training.run_data import load_data_for
from keras_csg.training.runs import Run


def edit_of(run: Run) -> dict[str, Any] | None:
    """Returns what a run's `config.json` says of an edit, `None` of none.

    Args:
        run: `Run`.

    Returns:
        A dict: `from`, the run that was edited; `filters_before` and
        `filters`, their numbers; `classes`, those that were removed.
    """
    if not run.config_path.exists():  # Weights that come with the package.
        return None
    return run.read_config().edited


def check_backbone_is_whole(run: Run, purpose: str) -> None:
    """Refuses a run whose backbone is no longer what its options name.

    Args:
        run: `Run`.
        purpose: str. What it was to be used for: an argument of `train`.

    Raises:
        ValueError: saying what to do instead.
    """
    edit = edit_of(run)
    if edit is None or edit["filters"] == edit["filters_before"]:
        return
    raise ValueError(
        f"`{purpose}` builds {run.options.backbone} anew, and {run} has "
        f"{edit['filters']} of its {edit['filters_before']} filters: load "
        f"{run.model_path} by `keras.saving.load_model`, compile and fit it in "
        f"Python, or start from {edit['from']}."
    )


def check_not_edited(run: Run) -> None:
    """Refuses to go on with the training of a run that was edited.

    Raises:
        ValueError: saying what to do instead.
    """
    edit = edit_of(run)
    if edit is not None:
        raise ValueError(
            f"{run} was not trained but made of {edit['from']} by `keras-csg "
            f"edit`: there is no training to go on with. Load "
            f"{run.model_path} by `keras.saving.load_model` and fit it in "
            "Python."
        )


def edited_options(
    run: Run,
    class_names: Sequence[str] | None,
    data_dir: str | os.PathLike | None = None,
) -> TrainingOptions:
    """Returns a run's options, with the classes that are left.

    Args:
        run: `Run` that is edited.
        class_names: of the classes left, in order; `None` if all are.
        data_dir: path. Where the data are now, if they moved.

    Raises:
        ValueError: if the options cannot name those classes.
    """
    options = run.options
    if data_dir is not None:
        name = moved_name(options.data, data_dir)
        options = options.replace(data=name, data_dir=os.fspath(data_dir))
    if class_names is None:
        return options
    if options.multi_label:
        raise ValueError(
            f"The images of {run} have several classes, and a table of labels "
            "cannot be read without one of them: remove it in Python, by "
            "`keras_csg.edit.remove_class`."
        )
    odd = next((name for name in class_names if "," in name), None)
    if odd is not None:
        raise ValueError(
            f"`classes` of the new run cannot name {odd!r}, which has a comma: "
            "remove the class in Python, by `keras_csg.edit.remove_class`."
        )
    return options.replace(classes=",".join(class_names))


@contextmanager
def new_run(path: str | os.PathLike) -> Iterator[Run]:
    """Gives a hidden run to write, which becomes `path` when it is whole.

    Args:
        path: of the directory; it is not there yet, or empty.

    Raises:
        ValueError: if it is there and not empty, or cannot be written.
    """
    target = pathlib.Path(path)
    check_free(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with hidden_part(target) as part:
            run = Run(part)
            yield run
            run.unlock()
            if target.exists():
                target.rmdir()
            part.rename(target)
    except OSError as error:
        raise ValueError(cannot_write(target, error)) from error


def check_free(path: pathlib.Path) -> None:
    """Refuses a directory that is there and not empty, or cannot be made.

    Raises:
        ValueError: naming it.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} exists and is not a directory.")
    if path.exists() and any(path.iterdir()):
        raise ValueError(
            f"{path} exists already and is not empty: name another directory."
        )
    check_folder(path)


def write_edited(
    run: Run,
    edited: keras.Model,
    source: Run,
    options: TrainingOptions,
    *,
    filters_before: int,
    classes: Sequence[str],
) -> ClassificationData:
    """Writes options, list of images and model of an edited run.

    Args:
        run: `Run`, new.
        edited: `CSGClassifier`.
        source: `Run` that was edited.
        options: as of `edited_options`.
        filters_before: int.
        classes: names of the classes that were removed.

    Returns:
        `ClassificationData` as the new run has them.

    Raises:
        ValueError: if the data cannot be loaded with the classes that are
            left.
    """
    known = source.read_listing()
    if known is not None and known.class_names:
        known = dataclasses.replace(known, class_names=edited.class_names)
    run.create(options, listing=known)
    # Which images they are is asked, not what is on them. Nothing is said:
    # that images of a class are missing is what was wanted.
    listed = options.replace(cache="off")
    data = load_data_for(listed, run=run, log=lambda text: None)
    if known is not None:  # Images of a removed class stay known as seen.
        run.write_listing(data.listing)
    record = {
        "from": os.path.abspath(source)
        if source.config_path.exists()
        else str(source),
        "filters_before": filters_before,
        "filters": edited.filters,
        "classes": list(classes),
    }
    config = run.read_config()
    run.write_config(dataclasses.replace(config, edited=record))
    run.save_model(edited)
    return data
