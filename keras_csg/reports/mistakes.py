"""Images that a network told wrong, and the filters that misled it."""

import collections
from typing import NamedTuple

import numpy as np

from keras_csg.metrics.head import Head
from keras_csg.reports.measuring import Measured

MOST = 24
MOST_OF_A_PAIR = 3
"""Of images of one class that are taken for one other: others are shown too."""
MOST_FILTERS = 5
MOST_PAIRS = 12


class Mistake(NamedTuple):
    """An image that was told wrong.

    Attributes:
        sample: int. Its number in the split.
        label: int. Its class.
        taken_for: int. The class that it was taken for.
        confidence: float in `[0, 1]`: the probability of that class.
        probability: float in `[0, 1]`: that of its own class.
        filters: list of `(filter, push)`, those that pushed most from its own
            class to the other one, from the largest down; see
            `misleading_filters`.
        lead: float. By how much the other class's logit exceeds its own.
    """

    sample: int
    label: int
    taken_for: int
    confidence: float
    probability: float
    filters: list[tuple[int, float]]
    lead: float


def misleading_filters(
    features: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    head: Head,
    most: int = MOST_FILTERS,
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the filters that pushed images to a class that is not theirs.

    Filter `k` pushes by `(W[predicted, k] - W[label, k]) a_k`; the pushes of
    all filters and the difference of the biases add up to the lead of the
    predicted class's logit.

    Args:
        features: array of shape `(samples, filters)`.
        labels: ints of shape `(samples,)`.
        predicted: ints of shape `(samples,)`.
        head: `Head`.
        most: int. How many filters.

    Returns:
        Two arrays of shape `(samples, n)`: filters, from the largest push
        down, and their pushes.
    """
    kernel = head.kernel.T
    pushes = (kernel[predicted] - kernel[labels]) * features
    order = np.argsort(-pushes, axis=1, kind="stable")[:, :most]
    return order, np.take_along_axis(pushes, order, axis=1)


def find_mistakes(measured: Measured, most: int = MOST) -> list[Mistake]:
    """Returns mistakes that the network was surest of, none too alike.

    Args:
        measured: `Measured`.
        most: int. How many.

    Returns:
        list of `Mistake`, empty where an image may have several classes.
    """
    labels, predicted = measured.samples.labels, measured.predicted
    confidence, head = measured.confidence, measured.head
    if predicted is None or confidence is None:
        return []
    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-confidence[wrong, 0], kind="stable")]
    pairs = labels[wrong].astype("int64") * head.num_classes + predicted[wrong]
    chosen = _varied(wrong, pairs.tolist(), most)
    features = measured.samples.features[chosen]
    filters, pushes = misleading_filters(
        features, labels[chosen], predicted[chosen], head
    )
    logits = head.logits(features)
    rows = np.arange(len(chosen))
    lead = logits[rows, predicted[chosen]] - logits[rows, labels[chosen]]
    return [
        Mistake(
            int(sample),
            int(labels[sample]),
            int(predicted[sample]),
            float(confidence[sample, 0]),
            float(confidence[sample, 1]),
            [
                (int(k), float(p))
                for k, p in zip(filters[row], pushes[row], strict=True)
                if p > 0
            ],
            float(lead[row]),
        )
        for row, sample in enumerate(chosen)
    ]


def confused_pairs(
    confusion: np.ndarray, most: int = MOST_PAIRS
) -> list[tuple[int, int, int, float]]:
    """Returns what is taken for what most often.

    Args:
        confusion: int array of shape `(classes, classes)`, true classes down.
        most: int. How many pairs.

    Returns:
        list of `(class, taken for, images, share of the class's)`, from the
        most images down.
    """
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    support = confusion.sum(axis=1)
    return [
        (int(c), int(d), int(wrong[c, d]), float(wrong[c, d] / support[c]))
        for c, d in pairs
        if wrong[c, d]
    ]


def right_examples(measured: Measured, most: int) -> dict[int, list[int]]:
    """Returns images of each class that are told right, spread over the split.

    Args:
        measured: `Measured`.
        most: int. How many of each class.

    Returns:
        dict from a class to numbers of images in the split; with several
        classes an image, images that have the class and are told to.
    """
    labels, head = measured.samples.labels, measured.head
    found = {}
    if measured.predicted is None:
        logits = head.logits(measured.samples.features)
        told = (labels > 0) & (logits >= 0)
    for label in range(head.num_classes):
        if measured.predicted is None:
            own = np.flatnonzero(told[:, label])
        else:
            own = np.flatnonzero(
                (labels == label) & (measured.predicted == label)
            )
        places = np.linspace(0, len(own) - 1, min(most, len(own)))
        found[label] = own[places.astype(int)].tolist()
    return found


def _varied(wrong, pairs, most):
    """Returns the first ones, but few of the same pair of classes."""
    chosen, taken = [], collections.Counter()
    for sample, pair in zip(wrong, pairs, strict=True):
        if taken[pair] < MOST_OF_A_PAIR:
            chosen.append(sample)
            taken[pair] += 1
        if len(chosen) == most:
            break
    return np.array(chosen, "int64")
