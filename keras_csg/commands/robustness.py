import os
from collections.abc import Callable, Iterable
from typing import Any

import keras_csg.plots as plots
from keras_csg.choices import BOUNDED_ATTACKS, CORRUPTIONS, NORMS
from keras_csg.commands.arguments import (
    check_callable,
    check_choice,
    check_count,
    check_path,
    listed,
    logger,
)
from keras_csg.commands.attack import check_alike, checked_seed
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.files import write_json
from keras_csg.robustness.attacks.registry import check_attack
from keras_csg.robustness.batches import NumberedBatches
from keras_csg.robustness.distance import check_reach, read_epsilon
from keras_csg.robustness.measuring import RobustnessCount, changes_of
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.runs import Run

EPSILONS = ("1/255", "2/255", "4/255", "8/255")
Names = str | Iterable[str]


def measure_robustness(
    run: Run | str | os.PathLike,
    *,
    against: Run | str | os.PathLike | None = None,
    attacks: Names = ("fgsm", "pgd"),
    epsilons: str | float | Iterable[str | float] = EPSILONS,
    corruptions: Names = CORRUPTIONS,
    norm: str = "linf",
    limit: int | None = 1000,
    seed: int = 0,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 100,
    track: Callable[..., Any] = lambda batches, text: batches,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Measures how accurate a run stays under attacks and corruptions.

    Writes `robustness.json` and the picture `robustness.png` into the run.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, whose files go
            to `runs/weights-NAME`.
        against: another run on the same data, such as a standard one, which is
            measured on the same images.
        attacks: list of str, or one with commas: of `"fgsm"`, `"pgd"`, and of
            the extra `attacks` `"apgd"`, `"square"`. `"none"` for none. Each
            head is attacked by itself.
        epsilons: their strengths, shares of the range of a pixel; see
            `keras_csg.attack`.
        corruptions: list of str, or one with commas, of
            `keras_csg.choices.CORRUPTIONS`, each at five levels; see
            `keras_csg.robustness.corruptions`. `"none"` for none.
        norm: `"linf"` or `"l2"`, of the attacks.
        limit: int. Number of images, spread over the test split; `None` for
            all.
        seed: int. Of noise and random starts.
        data: str or path. Data of the same classes; `None` for the run's.
        data_dir: path. Where the data are now, if they moved.
        batch_size: int. Images at a time.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        The dict that `robustness.json` holds:

        - `images`, `norm`.
        - `runs`: dict from each run's path to its `accuracy`,
          `mean_attack_accuracy` and `mean_corruption_accuracy`, and of a gated
          one the same of the class-specific head, `class_specific_accuracy`,
          `mean_attack_class_specific_accuracy` and so on.
        - `curves`: list of a dict for each attack and corruption: `change`,
          its name; `kind`; `strengths`; `runs`, from each path to the lists
          `accuracy`, `class_specific_accuracy` and, of attacks,
          `zero_gradients`, the shares of images on which the gradient vanishes.
          With `against` also `difference` of the mean accuracies, and its
          `standard_error`, image by image.
        - `differences`: with `against`, the same two of the images as they
          are, `clean`, and over all that is of a kind, `attack` and
          `corruption`.

        Where an image may have several classes, `accuracy` is the share whose
        classes are all told, and no others.

    Raises:
        InputError: if a run or its data cannot be read, the runs differ in
            their data, classes or image size, or an argument is not as
            described.

    Reference:
        - [Hendrycks & Dietterich, 2019](https://arxiv.org/abs/1903.12261)
        - [Madry et al., 2018](https://arxiv.org/abs/1706.06083)
    """
    check_path("run", run)
    check_path("against", against, optional=True)
    check_path("data", data, optional=True)
    check_path("data_dir", data_dir, optional=True)
    check_count("limit", limit, optional=True)
    check_count("batch_size", batch_size)
    check_choice("norm", norm, NORMS)
    seed = checked_seed(seed)
    check_callable("track", track)
    log = logger(log)
    attacks = _names("attacks", attacks, BOUNDED_ATTACKS)
    corruptions = _names("corruptions", corruptions, CORRUPTIONS)
    if not attacks and not corruptions:
        raise InputError("`attacks` and `corruptions` cannot both be none.")
    with input_errors():
        for name in attacks:
            check_attack(name, norm, False)
        strengths = _strengths(epsilons, norm)
        changes = changes_of(attacks, strengths, corruptions)
        opened = [open_run(path) for path in (run, against) if path is not None]
        _check_two(opened)
        opened[0].check_writable()
        models = {str(one): one.load_model() for one in opened}
        model = models[str(opened[0])]
        for strength in strengths:
            check_reach(strength, norm, model.input_shape[1:], "epsilons")
        for other in opened[1:]:
            check_alike(opened[0], model, other, models[str(other)])
        found = load_run_data(
            opened[0], model, data=data, data_dir=data_dir, log=log
        )
        batches = NumberedBatches(found.test, limit, batch_size)
        log(f"Measuring on {batches.images:,} images")
        count = RobustnessCount(models, changes, norm=norm, seed=seed)
        for change in changes:
            for batch in track(batches, change.name):
                count.see(batch, change)
        figures = count.figures()
        write_json(opened[0].file("robustness.json"), figures)
        plots.save_robustness(figures, opened[0].file("robustness.png"))
    _warn(figures, log)
    return figures


def _names(name, value, known):
    """Returns the names of an argument; of `"none"`, none."""
    parts = value.split(",") if isinstance(value, str) else value
    found = [part.strip() for part in listed(name, parts, str)]
    found = list(dict.fromkeys(found))
    if found in ([], ["none"]):
        return []
    for part in found:
        check_choice(name, part, known)
    return found


def _strengths(epsilons, norm):
    """Returns epsilons as numbers, the smallest first."""
    if isinstance(epsilons, str):
        epsilons = epsilons.split(",")
    values = listed("epsilons", epsilons, (str, float, int), (float, int))
    if not values:
        raise ValueError("`epsilons` must name one. Received: epsilons=[]")
    return sorted({read_epsilon(value, norm, "epsilons") for value in values})


def _check_two(runs):
    if len(runs) < 2:
        return
    first, second = runs
    if os.path.realpath(first) == os.path.realpath(second):
        raise ValueError(f"The same run is named twice. Received: {first}")
    names = [run.options.data for run in runs]
    if names[0] != names[1] and os.path.realpath(names[0]) != os.path.realpath(
        names[1]
    ):
        raise ValueError(
            f"Runs on different data cannot be compared: {first} is on "
            f"{names[0]}, {second} on {names[1]}."
        )


def _warn(figures, log):
    """Says where gradients vanish."""
    for curve in figures["curves"]:
        for run, points in curve["runs"].items():
            shares = points.get("zero_gradients", [0])
            if max(shares) > 0:
                log(
                    f"{curve['change']} of {run}: the gradient vanishes on up "
                    f"to {max(shares):.1%} of the images. Nothing was tried "
                    "there, so that they are told right is no robustness; the "
                    "square attack needs no gradient."
                )
