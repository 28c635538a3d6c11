"""Detectors of tiny classifiers, and their answers in plain NumPy."""

import functools

import keras
import numpy as np

from keras_csg.robustness import AnomalyDetector
from tests.deployment.trained import trained_classifier
from tests.tiny import tiny_data

CLASSES = ("red", "green", "blue", "yellow")


@functools.cache
def some_images(count=400, seed=0):
    """Images that a detector is fitted on, a coloured one each."""
    return tiny_data(count, seed)[0]


def strange_images(count=12):
    """Noise, black, white: nothing like them."""
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (count - 2, 8, 8, 3)).astype("float32")
    ends = np.array([0.0, 255.0], "float32")[:, None, None, None]
    return np.concatenate([noise, np.broadcast_to(ends, (2, 8, 8, 3))])


def detecting(score="surprise", **kwargs):
    """A classifier, and a detector that was fitted on it.

    One whose filters all fire: of a dead one's noise the two distances of
    `relative_mahalanobis` are both full, and their difference is rounding.
    """
    keras.utils.set_random_seed(4)  # Of the convolution.
    model = trained_classifier(seed=4, class_names=CLASSES, **kwargs)
    detector = AnomalyDetector(score, false_alarm_rate=0.05)
    detector.fit(
        model,
        some_images(),
        unknown=strange_images(),
        calibration=some_images(210, seed=1),
    )
    return model, detector


def images_to_ask():
    """Some of both kinds, and float32 as a file takes them."""
    return np.concatenate([some_images(30, seed=5), strange_images()])


def surprise_by_hand(detector, features):
    """The default score in plain NumPy, double precision, and its share.

    The square of the Mahalanobis distance from the nearest class's mean, and
    the norm, each by the curve of how rare it is; then the share of the clean
    images that are less strange.
    """
    features = np.asarray(features, "float64")
    kept = {k: np.float64(v) for k, v in detector.constants_.items()}
    rounding, centre, means = (
        kept[f"mahalanobis/{name}"] for name in ("rounding", "centre", "means")
    )
    rounded = (features - centre) @ rounding
    away = rounded[:, None, :] - means[None]
    distance = (away**2).sum(-1).min(-1)
    weak = -np.sqrt((features**2).sum(-1))
    score = _along(kept["mahalanobis/curve"], distance)
    score = score + _along(kept["feature_norm/curve"], weak)
    share = _along(np.float64(detector.rank_), score)
    return score, np.clip(share, 0, 1)


def _along(curve, values):
    starts, widths, rises, most, rests = curve
    starts = starts + rests
    heights = np.zeros(len(values))
    for start, width, rise, limit in zip(
        starts, widths, rises, most, strict=True
    ):
        share = np.maximum((values - start) / width, 0)
        heights += rise * np.minimum(share, limit)
    return heights
