import os
import pathlib
import shutil
from collections.abc import Callable, Iterable
from typing import Any

import keras

from keras_csg.choices import OF_THE_MACHINE, WEIGHTS_PREFIX
from keras_csg.commands.arguments import check_flag, check_path, listed, logger
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.data import moved_name
from keras_csg.files import check_links
from keras_csg.training.callbacks.epoch_lines import EpochLines
from keras_csg.training.changed_options import check_given, check_unedited
from keras_csg.training.config_files import read_config
from keras_csg.training.edited_runs import check_not_edited
from keras_csg.training.effects import check_effects, check_rate_is_free
from keras_csg.training.going_on import check_model, with_more_epochs
from keras_csg.training.initial import with_initial_run
from keras_csg.training.opening import open_run
from keras_csg.training.options import TrainingOptions
from keras_csg.training.recipes import with_recipe
from keras_csg.training.run_folders import free_directory
from keras_csg.training.runs import Run
from keras_csg.training.trainer import Trainer
from keras_csg.training.write_errors import RunWriteError


def train(
    out: str | os.PathLike | None = None,
    *,
    resume: bool = False,
    allow_changed_data: bool = False,
    config: str | os.PathLike | None = None,
    callbacks: Iterable[keras.callbacks.Callback] | None = None,
    log: Callable[[str], Any] | None = print,
    **options: Any,
) -> dict[str, Any]:
    """Trains a network on images and writes everything to a run directory.

    Args:
        out: path of the run directory, or `Run`; `None` for a new one in
            `runs`.
        resume: bool. Whether to go on with the run in `out`; with more
            `epochs` than it has, finished or not, it goes on to these.
        allow_changed_data: bool. Whether to go on although images are missing,
            were added or changed; what was trained on stays out of the others.
        config: path of a JSON or TOML file of options.
        callbacks: more `keras.callbacks.Callback`s. Those that set the
            learning rate need `lr_schedule="constant"` and `lr_warmup=0`.
        log: callable that takes a line of progress; `None` for silence.
        **options: those of `keras_csg.training.TrainingOptions`; they win over
            the file's.

    Returns:
        The test split's figures, as written to `metrics.json`.

    Raises:
        InputError: for arguments and options that cannot be had, or a run
            directory that is in use, damaged, or cannot be written any more.
        NonFiniteLossError: if the loss becomes infinite or no number.

    Example:
    >>> keras_csg.train("runs/a", data="digits")["accuracy"]  # doctest: +SKIP
    0.9972
    """
    log = logger(log)
    callbacks = listed(
        "callbacks",
        () if callbacks is None else callbacks,
        keras.callbacks.Callback,
        keras.callbacks.Callback,
    )
    trainer = set_up_training(
        out,
        resume=resume,
        allow_changed_data=allow_changed_data,
        config=config,
        callbacks=callbacks,
        log=log,
        **options,
    )
    if trainer is None:
        # Only a run that `out` names can have been finished.
        return finished_figures(out or "")
    lines = EpochLines(trainer.options.epochs, log)
    try:
        return trainer.train(callbacks=[lines, *callbacks])
    except RunWriteError as error:
        raise InputError(str(error)) from error


def finished_figures(out: str | os.PathLike) -> dict[str, Any]:
    """Returns the figures of a run that was finished before.

    Args:
        out: path of the run, or `Run`.

    Raises:
        InputError: if it is no finished run, or they cannot be read.
    """
    with input_errors():
        return open_run(out).read_metrics()


def set_up_training(
    out: str | os.PathLike | None = None,
    *,
    resume: bool = False,
    allow_changed_data: bool = False,
    config: str | os.PathLike | None = None,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    log: Callable[[str], Any] | None = print,
    **options: Any,
) -> Trainer | None:
    """Checks and sets up what `train` trains, and says what it is.

    Args:
        out: see `train`.
        resume: see `train`.
        allow_changed_data: see `train`.
        config: see `train`.
        callbacks: those that it is going to be trained with, to be looked at.
        log: see `train`.
        **options: see `train`.

    Returns:
        `Trainer`, or `None` if the run to go on with is finished.

    Raises:
        InputError: see `train`.
    """
    check_path("out", out, optional=True)
    check_path("config", config, optional=True)
    check_flag("resume", resume)
    check_flag("allow_changed_data", allow_changed_data)
    if allow_changed_data and not resume:
        raise InputError("`allow_changed_data` has no effect without `resume`.")
    log = logger(log)
    _check_out(out)
    with input_errors():
        if resume:
            chosen, out = _options_of_run(out, config, options)
            run = Run(out)
            if run.is_finished() and chosen.epochs == run.options.epochs:
                _close(run)
                log(f"{out} is finished: nothing to go on with.")
                return None
        else:
            values = read_config(pathlib.Path(config)) if config else {}
            asked = with_recipe(with_initial_run({**values, **options}))
            chosen = TrainingOptions.from_dict(asked)
            check_effects(options, chosen)
            out = free_directory(chosen) if out is None else out
        check_rate_is_free(callbacks, chosen)
        trainer = Trainer(
            chosen,
            out,
            resume=resume,
            allow_changed_data=allow_changed_data,
            log=log,
        )
    for line in trainer.describe():
        log(line)
    return trainer


def _close(run):
    """Looks whether a finished run is as it was, and ends what a kill left."""
    check_model(run)
    if record := run.read_record():
        check_unedited(run, record.options, "its record of the training")
    shutil.rmtree(run.backup_path, ignore_errors=True)


def _check_out(out):
    if out is not None and os.fspath(out).startswith(WEIGHTS_PREFIX):
        raise InputError(
            "`out` must be a directory; start from weights with `weights`. "
            f"Received: out={os.fspath(out)!r}"
        )


def _options_of_run(out, config, options):
    """Returns the options that the run to go on with was started with."""
    if out is None:
        raise ValueError("`resume` needs `out`, the run to go on with.")
    run = Run(out)
    check_links(run.path)
    if not run.config_path.exists():
        raise ValueError(
            f"There is no run to go on with in {run.path}: it has no "
            "config.json. Leave out `resume` to start it."
        )
    check_not_edited(run)
    if config:
        options = {**read_config(pathlib.Path(config)), **options}
    here = {k: v for k, v in options.items() if k in OF_THE_MACHINE}
    check_given(run, options)
    values = run.options.to_dict()
    # With its time budget it is the command that the run was begun by.
    if options.get("epochs") is not None and not options.get("time_budget"):
        values = with_more_epochs(run, options["epochs"]).to_dict()
    if "data_dir" in here:
        values["data"] = moved_name(values["data"], here["data_dir"])
    return TrainingOptions.from_dict({**values, **here}), run.path
