import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from keras_csg.commands.arguments import (
    check_count,
    check_path,
    check_text,
    check_there,
    logger,
    names,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.commands.predict import find_images
from keras_csg.commands.strange_images import (
    HELD_OUT,
    StrangeImages,
    check_kinds,
)
from keras_csg.data.image_files import in_threads
from keras_csg.data.image_reading import ImageReading
from keras_csg.evaluation.chosen_batches import ChosenBatches
from keras_csg.files import why_unread, write_json
from keras_csg.robustness.detection import (
    AnomalyDetector,
    detection_figures,
)
from keras_csg.robustness.detection.registry import DEFAULT, find_score
from keras_csg.robustness.detection.storing import is_detector
from keras_csg.robustness.detection.thresholds import check_possible
from keras_csg.robustness.distance import read_epsilon
from keras_csg.training.held_out import names_held_out
from keras_csg.training.opening import open_run
from keras_csg.training.run_data import load_run_data
from keras_csg.training.run_folders import DETECTOR
from keras_csg.training.runs import Run

FIGURES = "detection.json"
FITTED_ON = 5000
"""Clean images that are learned from, at most, and that calibrate."""
BATCH_SIZE = 64


def fit_detector(
    run: Run | str | os.PathLike,
    *,
    score: str = DEFAULT,
    false_alarm_rate: float = 0.05,
    attacks: str | Iterable[str] = (),
    unknown: str | Iterable[str] = (),
    epsilon: float | str = "8/255",
    limit: int = 1000,
    seed: int = 0,
    batch_size: int = 128,
    data_dir: str | os.PathLike | None = None,
    log: Callable[[str], Any] | None = print,
) -> dict[str, Any]:
    """Fits a detector of unknown and attacked images, and keeps it in the run.

    It learns from 5,000 training images at most, and finds its threshold on
    the validation split. `attacks` and `unknown` are what it is tested on; a
    score that learns from strange images, `"logistic"` or `"forest"`, learns
    from others of the same kinds. Writes the folder `detector`, whole or not
    at all, and `detection.json` into the run.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`, whose files go
            to `runs/weights-NAME`. Without a gate it works, as the baseline.
        score: str. One of `keras_csg.robustness.detection.list_scores()`.
        false_alarm_rate: float in (0, 0.5]. Share of clean images that may be
            flagged.
        attacks: names of `keras_csg.choices.ATTACKS`.
        unknown: kinds of `keras_csg.choices.MADE_UP`; `"held-out"`, the
            classes that the run was trained without; folders of images.
        epsilon: float or str. Strength of the attacks, as a share of the
            range of pixels.
        limit: int. Images of each kind, and of the test split.
        seed: int. Of scores that learn at random.
        batch_size: int. Images at a time.
        data_dir: path. Where the run's data are now, if they moved.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        What `detection.json` holds: `score`, `gated`, `false_alarm_rate`,
        `threshold`, `images`, how many were learned from and calibrated on,
        `flagged`, the share of clean test images, and of each kind in `kinds`
        what `detection_figures` gives beside clean test images, and `flagged`.

    Raises:
        InputError: if there is no such run, its images cannot be read or are
            too few for the rate, or an argument is not as described.
    """
    log = logger(log)
    attacks, unknown = names("attacks", attacks), names("unknown", unknown)
    check_path("run", run)
    check_path("data_dir", data_dir, optional=True)
    check_text("score", score)
    check_count("limit", limit)
    with input_errors():
        check_kinds(unknown, attacks)
        detector = AnomalyDetector(
            score, false_alarm_rate, seed=seed, batch_size=batch_size
        )
        kinds = [*dict.fromkeys([*unknown, *attacks])]
        _check_learnable(score, kinds)
        strength = read_epsilon(epsilon)
        run = open_run(run)
        run.check_writable()
        if HELD_OUT in kinds:
            names_held_out(run)
        _check_rate(detector.false_alarm_rate, run)
        model = run.load_model()
        data = load_run_data(run, model, data_dir=data_dir, log=log)
        if not model.gated:
            log(
                f"{run} has no gate: this is the baseline. A filter counts as "
                "of the class that it has the largest weight for."
            )
        strange = StrangeImages(run, model, limit, strength, data_dir, log)
        _fit(detector, model, data, strange, kinds)
        figures = _test(detector, data, strange, kinds)
        run.file(FIGURES)  # The folder is there then.
        detector.save(run.path / DETECTOR)
        write_json(run.path / FIGURES, figures)
    return figures


def _check_learnable(score, kinds):
    if find_score(score).needs_unknown and not kinds:
        raise ValueError(
            f"The score {score!r} learns from strange images: name some with "
            "`attacks` or `unknown`."
        )


def _check_rate(rate, run):
    """Refuses a rate that is too small before any image is read."""
    count, listing = FITTED_ON, run.read_listing()
    if listing is not None and "validation" in listing.images:
        count = min(count, len(listing.images["validation"]))
    check_possible(count, rate)


def _fit(detector, model, data, strange, kinds):
    """Learns from training images, the threshold from validation images."""
    size = detector.batch_size
    learned = None
    if find_score(detector.score).needs_unknown:
        clean = _images(data.validation, strange.limit)
        learned = (strange.of_kind(name, *clean, test=False) for name in kinds)
    detector.fit(
        model,
        ChosenBatches(data.train, FITTED_ON, size),
        unknown=learned,
        calibration=ChosenBatches(data.validation, FITTED_ON, size),
    )


def _test(detector, data, strange, kinds):
    """Returns figures of test images, clean ones and those of each kind."""
    images, labels = _images(data.test, strange.limit)
    clean = detector.score_samples(images)
    told = {}
    for name in kinds:
        some = strange.of_kind(name, images, labels, test=True)
        scores = detector.score_samples(some)
        told[name] = {
            "images": len(scores),
            "learned_from": find_score(detector.score).needs_unknown,
            **detection_figures(clean, scores),
            "flagged": _flagged(detector, scores),
        }
    return {
        "score": detector.score,
        "gated": detector.head_.gate_matrix is not None,
        "false_alarm_rate": detector.false_alarm_rate,
        "threshold": detector.threshold_,
        "images": {
            "learned_from": min(FITTED_ON, data.train.num_examples),
            "calibrated_on": min(FITTED_ON, data.validation.num_examples),
            "tested_on": len(clean),
        },
        "flagged": _flagged(detector, clean),
        "kinds": told,
    }


def score_images(
    run: Run | str | os.PathLike,
    images: str | os.PathLike | Iterable[str | os.PathLike],
) -> tuple[int, Iterator[dict[str, Any]]]:
    """Says of image files whether the network of a run knows what they show.

    One after the other, past those that are broken. `fit_detector` comes
    first.

    Args:
        run: path of a run directory, `Run`, or `weights:NAME`.
        images: paths of image files, of folders of them, or patterns such as
            `"photos/*.jpg"`; or one of these.

    Returns:
        A tuple of the number of images and an iterator over a dict for each:
        `image`, its path; `anomaly_score`, the share of clean images that are
        less strange, in 0..1; `known`, whether it is at most `1 -
        false_alarm_rate`; `class_name` and `probability` of the likeliest
        class. Of a file that cannot be read: `image` and `error`.

    Raises:
        InputError: if there is no such run, it has no detector, or there are
            no such images.
    """
    check_path("run", run)
    files = find_images(images)
    check_there(files)
    with input_errors():
        opened = open_run(run)
        folder = opened.path / DETECTOR
        if not is_detector(folder):
            raise InputError(
                f"{opened} has no detector: `keras-csg detect fit {opened}` "
                "fits one."
            )
        model = opened.load_model()
        detector = AnomalyDetector.load(folder, model)
    return len(files), _score_each(detector, model, files)


def _score_each(detector, model, files):
    reading = ImageReading(**model.image_reading)
    size = model.input_shape[1:3]
    class_names = model.class_names or [*map(str, range(model.num_classes))]

    def read(path):
        try:
            return reading.decode(path, size), None
        except Exception as error:  # Pillow raises all sorts on damaged files.
            return None, f"Cannot read the image {path}: {why_unread(error)}"

    for start in range(0, len(files), BATCH_SIZE):
        some = files[start : start + BATCH_SIZE]
        found = in_threads(read, some)
        images = [image for image, _ in found if image is not None]
        answers = iter(())
        if images:
            answers = _answers(detector, np.stack(images))
        for path, (_, error) in zip(some, found, strict=True):
            if error is not None:
                yield {"image": os.fspath(path), "error": error}
                continue
            share, known, number, probability = next(answers)
            yield {
                "image": os.fspath(path),
                "anomaly_score": float(share),
                "known": bool(known),
                "class_name": class_names[number],
                "probability": float(probability),
            }


def _answers(detector, images):
    """Returns what is said of each image, from one backbone pass."""
    features = detector.features(images)
    scores = detector.score_samples(features)
    logits = detector.head_.logits(features).astype("float64")
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = odds / odds.sum(axis=1, keepdims=True)
    return zip(
        detector.ranks(scores),
        scores <= detector.threshold_,
        logits.argmax(axis=1),
        probabilities.max(axis=1),
        strict=True,
    )


def _images(split, limit):
    """Returns images spread over a split, and their labels."""
    batches = [*ChosenBatches(split, limit, 256)]
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def _flagged(detector, scores):
    return float(np.mean(scores > detector.threshold_))
