"""What the other filters still know of two classes."""

from typing import NamedTuple

import numpy as np

from keras_csg.metrics.checks import (
    check_features,
    check_filter_classes,
    check_labels,
)

LEAST_SAMPLES = 2
"""Of a class: one to learn from and one to be asked."""


class ResidualInformation(NamedTuple):
    """How well a linear probe tells pairs of classes apart.

    Attributes:
        residual: float in `[0, 1]`: mean area under the ROC curve without the
            filters of both classes. 0.5 says that the others know nothing of
            the two; `all_filters` that they know as much as all.
        all_filters: float in `[0, 1]`: the same with all filters.
        pairs: int. Number of pairs of classes that were probed.
    """

    residual: float
    all_filters: float
    pairs: int


def residual_information(
    features: np.ndarray,
    labels: np.ndarray,
    filter_classes: np.ndarray,
    *,
    max_pairs: int = 200,
    seed: int = 0,
) -> ResidualInformation:
    """Asks a linear probe for pairs of classes, without the filters of both.

    Removing filters from the head asks what the head reads; a probe asks what
    is there. Of each pair a logistic regression on standardised features
    learns from one half of their samples and ranks the other, and the other
    way round. Without any filter left it ranks by chance, 0.5.

    Chance, and a perfect network, have a residual of 0.5. Without a gate it is
    nearly that of all filters: 0.98 of an untrained ResNet-20 on the digits,
    0.99 of a trained one on CIFAR-10.

    Args:
        features: array of shape `(samples, filters)`, finite.
        labels: ints of shape `(samples,)`, at least 0. Classes with fewer than
            two samples are left out.
        filter_classes: ints of shape `(filters,)`, at least 0: the class of
            each filter.
        max_pairs: int, at least 1. Of more pairs than these, so many are drawn
            at random.
        seed: int. Seed of the halves and of the pairs.

    Returns:
        `ResidualInformation`; NaN and 0 pairs where fewer than two classes
        have samples.

    Raises:
        ValueError: if an argument is not as described.

    Reference:
        - Linear probes: [Alain and Bengio, 2016](https://arxiv.org/abs/1610.01644)
    """
    features = check_features(features)
    labels = check_labels(labels, len(features), None)
    classes = check_filter_classes(filter_classes, features.shape[1])
    if max_pairs < 1:
        raise ValueError(
            f"`max_pairs` must be at least 1. Received: max_pairs={max_pairs}"
        )
    rng = np.random.default_rng(seed)
    first = _first_half(labels, rng)
    areas = []
    for pair in _pairs(labels, max_pairs, rng):
        here = np.isin(labels, pair)
        samples, is_second = features[here], labels[here] == pair[1]
        others = samples[:, ~np.isin(classes, pair)]
        areas.append(
            [_area(kept, is_second, first[here]) for kept in (others, samples)]
        )
    if not areas:
        return ResidualInformation(float("nan"), float("nan"), 0)
    residual, whole = np.mean(areas, axis=0)
    return ResidualInformation(float(residual), float(whole), len(areas))


def _first_half(labels, rng):
    """Returns which samples are in the first half, of each class as many."""
    order = rng.permutation(len(labels))
    # By class, and at random within a class: every other one.
    order = order[np.argsort(labels[order], kind="stable")]
    ranks = np.empty(len(labels), int)
    ranks[order] = np.arange(len(labels))
    counts = np.bincount(labels)
    starts = counts.cumsum() - counts
    return (ranks - starts[labels]) % 2 == 0


def _pairs(labels, max_pairs, rng):
    """Returns pairs of classes, ints `(pairs, 2)`."""
    (present,) = np.nonzero(np.bincount(labels) >= LEAST_SAMPLES)
    first, second = np.triu_indices(len(present), 1)
    pairs = np.stack([present[first], present[second]], axis=1)
    if len(pairs) > max_pairs:
        pairs = pairs[rng.choice(len(pairs), max_pairs, replace=False)]
    return pairs


def _area(features, is_second, first):
    """Returns the mean area under the curve of both halves."""
    # Slow to import.
    import sklearn
    from sklearn.linear_model import LogisticRegression

    if not features.shape[1]:
        return 0.5
    areas = []
    # Of few samples the checks, which were made before, take most of the time.
    with sklearn.config_context(
        assume_finite=True, skip_parameter_validation=True
    ):
        for learnt in (first, ~first):
            samples = _standardized(features, learnt)
            probe = LogisticRegression(max_iter=1000)
            probe.fit(samples[learnt], is_second[learnt])
            scores = probe.decision_function(samples[~learnt])
            areas.append(_area_under_curve(is_second[~learnt], scores))
    return np.mean(areas)


def _standardized(features, learnt):
    """Returns features of mean 0 and deviation 1 over the learnt samples."""
    mean, deviation = (
        features[learnt].mean(axis=0),
        features[learnt].std(axis=0),
    )
    return (features - mean) / np.where(deviation > 0, deviation, 1)


def _area_under_curve(is_second, scores):
    """Returns the chance that one of the second class has the higher score."""
    from scipy.stats import rankdata

    count = np.count_nonzero(is_second)
    others = len(scores) - count
    above = rankdata(scores)[is_second].sum() - count * (count + 1) / 2
    return above / (count * others)
