import os
import pathlib
from collections.abc import Callable
from typing import Any

from keras_csg.commands.arguments import (
    check_callable,
    check_count,
    check_path,
    check_text,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.files import check_writable, whole_file
from keras_csg.reports.card import card_text, is_unchanged, make_card
from keras_csg.reports.gathering import (
    check_same_classes,
    gather,
    open_for_report,
)
from keras_csg.reports.page import page_text
from keras_csg.training.opening import open_run
from keras_csg.training.runs import Run

PAGES, CARDS = (".html", ".htm"), (".md", ".markdown")


def report(
    run: Run | str | os.PathLike,
    out: str | os.PathLike = "report.html",
    *,
    against: Run | str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    card: str | os.PathLike | None = None,
    license: str | None = None,
    images_per_filter: int = 9,
    batch_size: int = 64,
    track: Callable[[Any, str], Any] = lambda batches, text: batches,
    log: Callable[[str], Any] | None = print,
) -> pathlib.Path:
    """Writes all there is to say of a run as one page, and as a model card.

    The page opens from the disk, asks the network for nothing and has less
    than 10 MB, whatever the number of classes and filters: figures with what
    they mean, each class, calibration, training, the gate, classes and filters
    to browse, ablation, and what went wrong. The run itself stays as it is.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`.
        out: path of the page, a `.html` file.
        against: path of another run of the same classes, as `run`, to set
            beside it.
        data_dir: path. Where the data are now, if they moved.
        card: path of the model card, a `.md` file; `None` for `NAME.card.md`
            beside the page. One that somebody has changed is not overwritten.
        license: str. Identifier of the licence of the weights, as
            `"apache-2.0"`, for the card; `None` leaves it open.
        images_per_filter: int. Images that each filter answers to most; fewer
            are shown where they do not fit.
        batch_size: int. Images at a time.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        The path of the page.

    Raises:
        InputError: if there is no such run, it or its data cannot be read, the
            other is of other classes, or an argument is not as described.

    Example:
    >>> keras_csg.report("runs/demo", "demo.html")  # doctest: +SKIP
    PosixPath('demo.html')
    """
    check_path("run", run)
    check_path("against", against, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_text("license", license, optional=True)
    check_count("images_per_filter", images_per_filter)
    check_count("batch_size", batch_size)
    check_callable("track", track)
    log = logger(log)
    page, card_path = _paths(out, card)
    with input_errors():
        opened_run = open_run(run)
        other_run = None if against is None else open_run(against)
        _check_places(opened_run, other_run, page)
        model, other = opened_run.load_model(), None
        if other_run is not None:  # Before data, which take long.
            other_model = other_run.load_model()
            check_same_classes((opened_run, model), (other_run, other_model))
            other = open_for_report(
                other_run, other_model, data_dir=data_dir, log=log
            )
        opened = open_for_report(opened_run, model, data_dir=data_dir, log=log)
        gathered = gather(
            opened,
            other,
            images_per_filter=images_per_filter,
            batch_size=batch_size,
            track=track,
        )
    made = make_card(gathered, license)
    text = page_text(gathered, made, card_name=card_path.name)
    with input_errors():
        with whole_file(page) as part:
            part.write_text(text, "utf-8")
        with whole_file(card_path) as part:
            part.write_text(card_text(gathered, made), "utf-8")
    log(f"Wrote {card_path}, the model card.")
    return page


def _paths(out, card):
    """Returns where page and card go, once it is known that they can."""
    check_path("out", out)
    check_path("card", card, optional=True)
    page = _file("out", out, PAGES)
    card_path = (
        page.with_suffix(".card.md")
        if card is None
        else _file("card", card, CARDS)
    )
    with input_errors():
        for path in (page, card_path):
            check_writable(path)
    if card_path.exists() and not is_unchanged(card_path):
        raise InputError(
            f"{card_path} is not as `report` wrote it, and stays as it is: "
            "name another file with `card`, or remove it."
        )
    return page, card_path


def _file(name, given, suffixes):
    path = pathlib.Path(given)
    if path.is_dir():
        raise InputError(
            f"`{name}` must be the path of a {suffixes[0]} file, and this is a "
            f"folder. Received: {name}={os.fspath(given)!r}"
        )
    if path.suffix.lower() not in suffixes:
        raise InputError(
            f"`{name}` must be the path of a {suffixes[0]} file. "
            f"Received: {name}={os.fspath(given)!r}"
        )
    return path


def _check_places(run, other, page):
    """Refuses the same run twice."""
    if other is None:
        return
    same = os.fspath(run) == os.fspath(other)
    if same or os.path.realpath(run.path) == os.path.realpath(other.path):
        raise ValueError(
            f"`against` must be another run than `run`. Received: {other}"
        )
