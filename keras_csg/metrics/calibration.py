"""How far a classifier's probabilities can be taken at their word."""

from typing import NamedTuple

import numpy as np

from keras_csg.metrics.checks import check_features, check_labels

BINS = 15
TOLERANCE = 1e-3
"""How far a row may be from summing to one: float16 rounds."""


class Reliability(NamedTuple):
    """How often a classifier is right, by how sure it says it is.

    A sample's confidence is the largest of its probabilities. Bins are of equal
    width and hold their upper edge.

    Attributes:
        edges: array of shape `(bins + 1,)`, from 0 to 1.
        confidence: array of shape `(bins,)` in `[0, 1]`: mean confidence of the
            samples in each bin, NaN where there are none.
        accuracy: array of the same shape and range: share of them that is
            told right.
        counts: int array of the same shape: how many they are.
        ece: float in `[0, 1]`, the expected calibration error: mean distance
            of confidence and accuracy, each bin weighed by its samples. 0 of a
            classifier that means what it says.
        brier: float in `[0, 2]`: mean squared distance of the probabilities
            from the truth, summed over the classes; 0 is perfect.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    counts: np.ndarray
    ece: float
    brier: float


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS
) -> Reliability:
    """Sets how sure a classifier says it is beside how often it is right.

    Args:
        probabilities: array of shape `(samples, classes)` in `[0, 1]`, rows
            that sum to one.
        labels: ints of shape `(samples,)` in `[0, classes)`.
        bins: int, at least 1. Number of bins of the confidence.

    Returns:
        `Reliability`.

    Raises:
        ValueError: if an argument is not as described.

    Example:
        >>> import numpy as np
        >>> from keras_csg.metrics import reliability
        >>> sure = np.array([[0.9, 0.1], [0.9, 0.1]])
        >>> round(reliability(sure, np.array([0, 1])).ece, 6)
        0.4

    Reference:
        - [Guo et al., 2017](https://arxiv.org/abs/1706.04599)
        - [Brier, 1950](https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2)
    """
    probabilities = _check_probabilities(probabilities)
    samples, classes = probabilities.shape
    labels = check_labels(labels, samples, classes)
    if not isinstance(bins, int | np.integer) or bins < 1:
        raise ValueError(
            f"`bins` must be an integer of at least 1. Received: bins={bins}"
        )
    edges = np.linspace(0, 1, bins + 1)
    sure = probabilities.max(axis=1).astype("float64")
    right = probabilities.argmax(axis=1) == labels
    places = np.searchsorted(edges[1:-1], sure)
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid="ignore"):  # No samples: 0 / 0.
        confidence = np.bincount(places, sure, bins) / counts
        accuracy = np.bincount(places, right, bins) / counts
    gaps = np.where(counts, np.abs(accuracy - confidence), 0)
    return Reliability(
        edges,
        confidence,
        accuracy,
        counts,
        float(gaps @ counts / samples),
        _brier(probabilities, labels),
    )


def _brier(probabilities, labels):
    """Returns the score; one-hot labels are not written out."""
    squares = np.einsum(
        "sc,sc->s", probabilities, probabilities, dtype="float64"
    )
    true = probabilities[np.arange(len(labels)), labels].astype("float64")
    return float(np.mean(squares - 2 * true + 1))


def _check_probabilities(probabilities):
    probabilities = check_features(probabilities, "probabilities")
    least, largest = probabilities.min(), probabilities.max()
    sums = probabilities.sum(axis=1, dtype="float64")
    if least < 0 or np.abs(sums - 1).max() > TOLERANCE:
        raise ValueError(
            "`probabilities` must be at least 0, rows that sum to one. "
            f"Received: values in [{least:.4g}, {largest:.4g}], sums in "
            f"[{sums.min():.4g}, {sums.max():.4g}]"
        )
    return probabilities
