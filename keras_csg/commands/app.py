import importlib.util
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_csg.commands.arguments import (
    check_callable,
    check_flag,
    check_path,
    check_text,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.data import ClassificationData
from keras_csg.evaluation import FilterSurvey, survey_filters
from keras_csg.evaluation.chosen_batches import ChosenBatches
from keras_csg.interactive.serving import ServedApp, serve
from keras_csg.interactive.workbench import Workbench
from keras_csg.models.float32 import in_float32
from keras_csg.serving.sockets import is_loopback
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run

SURVEYED = 1000
"""Images that are looked at for those that fire each filter most."""
EXAMPLES = 8
HIGHEST_PORT = 65535
NEEDS_GRADIO = "The page needs gradio: pip install 'keras-csg[app]'"
NO_DATA = "The run's data cannot be loaded: no galleries, no examples. {}"
NO_GALLERIES = "Galleries were left out: what fires a filter is not shown."


def app(
    run: Run | str | os.PathLike,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool = True,
    galleries: bool = True,
    survey: FilterSurvey | None = None,
    data_dir: str | os.PathLike | None = None,
    track: Callable[[Any, str], Any] = lambda batches, text: batches,
    log: Callable[[str], Any] | None = print,
    block: bool = True,
) -> ServedApp:
    """Serves a page on which a run is tried by hand.

    A picture goes in, from a file, the camera or the clipboard; the page shows
    the classes, the heatmap, the filters that decide with the images that fire
    them most, and lets one switch filters off. It is served to this machine
    alone unless `host` says otherwise, asks nothing of any other, and keeps
    pictures in a folder that is removed at the end.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`.
        host: str. Address to listen at. Of one that others reach a warning is
            logged: there is no password.
        port: int in 1..65535; `None` for a free one.
        open_browser: bool. Whether to open the page in the user's browser.
        galleries: bool. Whether to show what fires each filter most, of up to
            1,000 images spread over the run's test split.
        survey: `keras_csg.evaluation.FilterSurvey` of the run, where there is
            one; `None` to look at the filters now.
        data_dir: path. Where the run's data are now, if they moved.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable that takes a line of progress; `None` for silence.
        block: bool. Whether to serve until Ctrl-C is pressed.

    Returns:
        `ServedApp`: its `url`, and `close`; closed already with `block`.

    Raises:
        InputError: if Gradio is not installed, there is no such run, it cannot
            listen there, or an argument is not as described.

    Example:
    >>> page = keras_csg.app("runs/demo", block=False)  # doctest: +SKIP
    >>> page.url  # doctest: +SKIP
    'http://127.0.0.1:7860/'
    >>> page.close()  # doctest: +SKIP
    """
    check_path("run", run)
    check_text("host", host)
    _check_port(port)
    check_flag("open_browser", open_browser)
    check_flag("galleries", galleries)
    check_flag("block", block)
    check_path("data_dir", data_dir, optional=True)
    check_callable("track", track)
    log = logger(log)
    if importlib.util.find_spec("gradio") is None:
        raise InputError(NEEDS_GRADIO)
    with input_errors():
        opened = open_run(run)
        model = in_float32(opened.load_model())
        _check_survey(survey, model)
        data, notes = _data(opened, model, data_dir, log)
        if not galleries:
            notes.append(NO_GALLERIES)
            survey = None
        elif survey is None and data is not None:
            survey = _survey(model, data, track)
        bench = Workbench(model, str(opened), survey, notes)
        served = serve(
            bench,
            host=host,
            port=port,
            open_browser=open_browser,
            examples=_examples(data),
        )
    log(f"Serving {opened}, until Ctrl-C, at {served.url}")
    if not is_loopback(host):
        log(
            f"Warning: whoever reaches {host} can open the page; there is no "
            "password."
        )
    if block:
        served.wait()
    return served


def _check_port(port):
    whole = isinstance(port, int) and not isinstance(port, bool)
    if port is None or (whole and 1 <= port <= HIGHEST_PORT):
        return
    raise InputError(
        f"`port` must be an integer from 1 to {HIGHEST_PORT}, or None. "
        f"Received: port={port!r}"
    )


def _check_survey(survey, model):
    if survey is None:
        return
    if not isinstance(survey, FilterSurvey):
        raise InputError(
            "`survey` must be a FilterSurvey. "
            f"Received: survey of type {type(survey).__name__}"
        )
    if survey.filters != model.filters:
        raise InputError(
            f"`survey` must be of the run's {model.filters} filters. "
            f"Received: a survey of {survey.filters}"
        )


def _data(run, model, data_dir, log) -> tuple[ClassificationData | None, list]:
    """Returns the run's data, or `None` and why there are none."""
    try:
        return load_run_data(run, model, data_dir=data_dir, log=log), []
    except ValueError as error:
        if data_dir is not None:  # It was asked for.
            raise
        text = NO_DATA.format(" ".join(str(error).split()))
        log(text)
        return None, [text]


def _survey(model, data, track):
    batches = ChosenBatches(data.test, SURVEYED, 64)
    if not batches.numbers.size:
        return None
    return survey_filters(model, batches, images_per_filter=6, track=track)


def _examples(data) -> list[np.ndarray]:
    """Returns some images spread over the test split."""
    if data is None or not data.test.num_examples:
        return []
    chosen = ChosenBatches(data.test, EXAMPLES, 64)
    return [
        np.asarray(image).round().clip(0, 255).astype("uint8")
        for images, _ in chosen
        for image in images
    ]
