import os
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_csg.commands.arguments import check_count, check_path, logger
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.data.splits.image_split import ImageSplit
from keras_csg.evaluation.chosen_batches import ChosenBatches
from keras_csg.evaluation.temperature import Calibration, fit_calibration
from keras_csg.explain.feature_maps import check_levels, check_rgb, in_batches
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data

MOST_IMAGES = 10_000
"""Of a split, spread over it: one number takes no more to be found."""


def calibrate(
    source: Any,
    images: Any = None,
    labels: Any = None,
    *,
    data: str | os.PathLike | None = None,
    data_dir: str | os.PathLike | None = None,
    batch_size: int = 128,
    log: Callable[[str], Any] | None = print,
) -> Calibration:
    """Finds the temperature that makes probabilities mean what they say.

    The logits divided by it are the likeliest to have given the labels of
    images that the network was not trained on. `keras_csg.export(model, path,
    temperature=...)` puts it into a file; no class changes. The class-specific
    head gets a temperature of its own.

    Args:
        source: path of a run directory, `Run`, or `weights:NAME`, of which
            10,000 images of the validation split are taken at most; or a
            `CSGClassifier`, which takes `images` and `labels`.
        images: array `(samples, height, width, 3)`, RGB in 0..255, that the
            network was not trained on; `None` for a run's.
        labels: ints `(samples,)`, their classes; or zeros and ones `(samples,
            classes)` of a network with `multi_label`: then one temperature
            serves all sigmoids.
        data: str or path. Data of the same classes whose validation split is
            taken; `None` for the run's.
        data_dir: path. Where the data are now, if they moved.
        batch_size: int. Images at a time.
        log: callable that takes a line; `None` for silence.

    Returns:
        `Calibration`: `temperature`, `images`, `ece_before` and `ece_after`,
        and the same of the class-specific head.

    Raises:
        InputError: if there is no such run, its data cannot be read, an
            argument is not as described, or no temperature fits best.

    Example:
        >>> found = keras_csg.calibrate("runs/birds")  # doctest: +SKIP
        >>> found.ece_before, found.ece_after  # doctest: +SKIP
        (0.062, 0.011)

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
    """
    log = logger(log)
    check_count("batch_size", batch_size)
    if isinstance(source, CSGClassifier):
        batches = _batches(source, images, labels, batch_size)
        with input_errors():
            return _said(fit_calibration(source, batches), log)
    check_path("source", source)
    if images is not None or labels is not None:
        raise InputError(
            "`images` and `labels` are for a model: a run has its own; other "
            "data are named with `data`."
        )
    check_path("data", data, optional=True)
    check_path("data_dir", data_dir, optional=True)
    with input_errors():
        run = open_run(source)
        model = run.load_model()
        found = load_run_data(run, model, data=data, data_dir=data_dir, log=log)
    return calibrate_on(model, found.validation, log, batch_size)


def calibrate_on(
    model: CSGClassifier,
    split: ImageSplit,
    log: Callable[[str], Any],
    batch_size: int = 128,
) -> Calibration:
    """Returns the `Calibration` of a classifier on a split; see `calibrate`."""
    with input_errors():
        batches = ChosenBatches(split, MOST_IMAGES, batch_size)
        return _said(fit_calibration(model, batches), log)


def _batches(model, images, labels, batch_size):
    """Returns images and labels in batches, checked."""
    if images is None or labels is None:
        raise InputError("A model is calibrated on `images` and `labels`.")
    images, labels = np.asarray(images), np.asarray(labels)
    fits = images.ndim == 4 and all(
        want in (None, have)
        for want, have in zip(
            model.input_shape[1:], images.shape[1:], strict=True
        )
    )
    if not fits or len(images) != len(labels):
        raise InputError(
            "`images` must be pictures of the model's size, and `labels` their "
            f"classes. Received: images.shape={images.shape}, "
            f"labels.shape={labels.shape}"
        )
    with input_errors():
        images = check_rgb(images)
        check_levels(images)
    starts = range(0, len(images), batch_size)
    return [
        (batch, labels[start : start + len(batch)])
        for start, batch in zip(
            starts, in_batches(images, batch_size), strict=True
        )
    ]


def _said(found, log):
    log(
        f"Temperature {found.temperature:.3f} from {found.images:,} images "
        f"not trained on: calibration error (ECE) {found.ece_before:.4f} "
        f"before, {found.ece_after:.4f} after."
    )
    return found
