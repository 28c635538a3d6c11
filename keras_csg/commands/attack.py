import contextlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

from keras_csg.arguments import whole_number
from keras_csg.choices import ATTACKS, HEADS, NORMS
from keras_csg.commands.arguments import (
    check_callable,
    check_choice,
    check_count,
    check_flag,
    check_path,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.files import at_home, write_json
from keras_csg.robustness.attacking import AttackCount, gradient_warning
from keras_csg.robustness.attacks.adaptive import AdaptiveAttack
from keras_csg.robustness.attacks.registry import (
    check_attack,
    create_attack,
    usual_norm,
)
from keras_csg.robustness.batches import NumberedBatches
from keras_csg.robustness.distance import USUAL, check_reach, read_epsilon
from keras_csg.robustness.saving import AttackedImages
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.run_folders import nearest_detector
from keras_csg.training.runs import Run


def attack(
    run: Run | str | os.PathLike,
    method: str = "pgd",
    *,
    epsilon: float | str | None = None,
    norm: str | None = None,
    targeted: bool = False,
    head: str = "standard",
    source: Run | str | os.PathLike | None = None,
    detector: Any = None,
    limit: int | None = None,
    seed: int = 0,
    save: str | os.PathLike | None = None,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 100,
    track: Callable[..., Any] = lambda batches, text: batches,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Attacks the network of a run on the test split of its data.

    Writes `attack.json` into the run.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, whose files go
            to `runs/weights-NAME`.
        method: str. `"fgsm"` and `"pgd"`; `"apgd"`, `"square"`, `"deepfool"`
            and `"cw"` of the extra `attacks`, on TensorFlow.
        epsilon: float or str such as `"8/255"`. How far an image may be moved,
            as a share of the range of its pixels, 0..1; by `"l2"` the root of
            the sum of squares of such shares. `None` for 8/255, by `"l2"` for
            128/255. `"deepfool"` and `"cw"` look for the least change, and
            what they find farther away does not count.
        norm: `"linf"` or `"l2"`; `None` for `"linf"`, and `"l2"` of
            `"deepfool"` and `"cw"`, which know no other.
        targeted: bool. Whether an attack aims at a class, any but the image's,
            chosen by `seed`; where an image may have several, at its own with
            one more or less.
        head: `"standard"` or `"class_specific"`: which head is attacked. Both
            are measured.
        source: a run whose network the images are made to mislead; `None` for
            `run` itself. Of the same classes and image size.
        detector: that the attack knows and misleads, too: path of the folder
            that one was saved in, or an object with
            `gate_score(maps, features, logits, specific_logits)` in
            `keras.ops` and `threshold_`; see
            `keras_csg.robustness.attacks.AdaptiveAttack`. For `"pgd"` alone.
        limit: int. Number of images, spread over the test split; `None` for
            all.
        seed: int. Of random starts and targets.
        save: path of a folder, which is made, for the attacked images: PNG
            files, and `index.csv` with `file`, `label`, `before` and `after`.
        data: str or path. Data of the same classes; `None` for the run's.
        data_dir: path. Where the data are now, if they moved.
        batch_size: int. Images at a time.
        track: callable from batches and a text to the batches, such as a
            progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        The flat dict that `attack.json` holds: the arguments, and what
        `keras_csg.robustness.attacking.AttackCount.figures` describes.

    Raises:
        InputError: if there is no such run, it or its data cannot be read, a
            library is not installed, or an argument is not as described.

    Example:
    >>> keras_csg.attack("runs/demo", limit=100)  # doctest: +SKIP
    """
    norm = _checked_norm(method, norm)
    check_flag("targeted", targeted)
    check_choice("head", head, HEADS)
    for name, path in {"source": source, "save": save, "data": data}.items():
        check_path(name, path, optional=True)
    check_path("run", run)
    check_path("data_dir", data_dir, optional=True)
    check_count("limit", limit, optional=True)
    check_count("batch_size", batch_size)
    seed = checked_seed(seed)
    check_callable("track", track)
    _check_detector(detector, method, source, head)
    log = logger(log)
    aim: dict[str, Any] = {"norm": norm, "targeted": targeted, "seed": seed}
    with input_errors():
        check_attack(method, norm, targeted)
        strength = USUAL[norm] if epsilon is None else epsilon
        strength = read_epsilon(strength, norm)
        saving = None if save is None else AttackedImages(pathlib.Path(save))
        opened = open_run(run)
        opened.check_writable()
        other = None if source is None else open_run(source)
        model = opened.load_model()
        check_reach(strength, norm, model.input_shape[1:])
        detector = _loaded(detector, model)
        if detector is not None:
            change: Callable = AdaptiveAttack(model, detector, **aim)
        else:
            misled = _misled(opened, model, other)
            _check_head(head, misled, other or opened)
            change = create_attack(misled, method, head=head, **aim)
        found = load_run_data(
            opened, model, data=data, data_dir=data_dir, log=log
        )
        batches = NumberedBatches(found.test, limit, batch_size)
        count = AttackCount(
            model,
            change,
            method=method,
            epsilon=strength,
            detector=detector,
            keep=None if saving is None else saving.writer(model),
            **aim,
        )
        log(f"Attacking {opened} on {batches.images:,} images")
        with saving or contextlib.nullcontext():
            figures = {
                "method": method,
                "epsilon": strength,
                **aim,
                "head": head,
                "source": None if other is None else str(other),
                **count.run(track(batches, method)),
            }
        write_json(opened.file("attack.json"), figures)
    if saving is not None:
        log(f"Wrote the images into {save}")
    warning = gradient_warning(figures)
    if warning:
        log(warning)
    return figures


def _misled(run, model, other):
    """Returns the network that the images are made to mislead."""
    if other is None:
        return model
    misled = other.load_model()
    check_alike(run, model, other, misled)
    return misled


def _check_head(head, misled, run):
    if head == "class_specific" and not misled.gated:
        raise InputError(
            f"`head` must be standard for {run}, which has no gate. "
            f"Received: head={head!r}"
        )


def checked_seed(seed: Any) -> int:
    """Returns a seed as an int; refuses what is below 0 or not whole."""
    with input_errors():
        return whole_number("seed", seed, 0)


def check_alike(run: Run, model: Any, other: Run, others: Any) -> None:
    """Refuses two networks that do not take the same images and classes.

    Raises:
        ValueError: saying in what they differ.
    """
    sizes = ["x".join(map(str, m.input_shape[1:3])) for m in (model, others)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"{run} and {other} must take images of the same size. "
            f"Received: {sizes[0]} and {sizes[1]}"
        )
    names = [
        list(m.class_names or range(m.num_classes)) for m in (model, others)
    ]
    if names[0] != names[1] or model.multi_label != others.multi_label:
        raise ValueError(
            f"{run} and {other} must tell the same classes, in the same order. "
            f"Received: {len(names[0])} classes from {names[0][0]}, and "
            f"{len(names[1])} from {names[1][0]}"
        )


def _checked_norm(method, norm):
    check_choice("method", method, ATTACKS)
    if norm is None:
        return usual_norm(method)
    check_choice("norm", norm, NORMS)
    return norm


def _loaded(detector, model):
    """Returns a detector, read if it was given by its path."""
    if not isinstance(detector, str | os.PathLike):
        return detector
    from keras_csg.robustness.detection import AnomalyDetector

    return AnomalyDetector.load(nearest_detector(at_home(detector)), model)


def _check_detector(detector, method, source, head):
    """Refuses a detector that an attack cannot know."""
    if detector is None:
        return
    if isinstance(detector, str | os.PathLike):
        check_path("detector", detector)
    else:
        _check_members(detector)
    if method != "pgd" or source is not None or head != "standard":
        raise InputError(
            "`detector` is for pgd on the run's own standard head: leave out "
            "other methods, `head` and `source`. "
            f"Received: method={method!r}, head={head!r}, source={source!r}"
        )


def _check_members(detector):
    for name in ("gate_score", "threshold_"):
        if not hasattr(detector, name):
            raise InputError(
                f"`detector` must have `{name}`: fit it first. "
                f"Received: one of type {type(detector).__name__}"
            )
