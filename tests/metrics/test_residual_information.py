import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from keras_csg import metrics
from keras_csg.metrics import residual_information

CLASSES = np.arange(3)


def samples(apart, size=4000, seed=0):
    """Three classes, a filter each; filter `k` is `apart` higher in class k."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size) % 3
    features = rng.normal(size=(size, 3)) + apart * np.eye(3)[labels]
    return features, labels


def test_areas_are_those_of_shifted_normals():
    """Two classes that differ by d in the best direction: Phi(d / sqrt(2))."""
    features, labels = samples(1.0)
    found = residual_information(features, labels, CLASSES)
    assert found.pairs == 3
    # Two filters differ by 1 each, the third by nothing.
    assert_allclose(found.all_filters, norm.cdf(1.0), atol=0.01)
    assert_allclose(found.residual, 0.5, atol=0.02)


def test_what_a_third_class_knows_is_found():
    features, labels = samples(1.0)
    features[:, 2] += 2.0 * (labels == 0)  # Tells 0 from 1.
    found = residual_information(features, labels, CLASSES)
    expected = (norm.cdf(math.sqrt(2)) + 0.5 + 0.5) / 3
    assert_allclose(found.residual, expected, atol=0.02)


def test_scale_and_offset_are_no_matter():
    features, labels = samples(1.0)
    found = residual_information(features, labels, CLASSES)
    moved = features * [1e-6, 1, 1e6] + 7
    assert_allclose(
        residual_information(moved, labels, CLASSES)[:2], found[:2], atol=1e-3
    )


def test_without_filters_left_it_is_chance():
    features, labels = samples(5.0)
    here = labels < 2
    found = residual_information(features[here], labels[here], [0, 1, 0])
    assert found.residual == 0.5 and found.all_filters > 0.99
    assert found.pairs == 1


def test_pairs_are_drawn_where_there_are_many():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(12), 4)
    features = rng.normal(size=(48, 5))
    found = residual_information(features, labels, np.arange(5), max_pairs=5)
    assert found.pairs == 5
    assert found == residual_information(
        features, labels, np.arange(5), max_pairs=5
    )
    other = residual_information(
        features, labels, np.arange(5), max_pairs=5, seed=1
    )
    assert other != found


def test_classes_of_one_sample_are_left_out():
    features, labels = samples(1.0, size=30)
    labels[labels == 2] = 0
    labels[0] = 2
    found = residual_information(features, labels, CLASSES)
    assert found.pairs == 1
    lonely = residual_information(features[:2], np.array([0, 1]), CLASSES)
    assert math.isnan(lonely.residual) and lonely.pairs == 0


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_halves_have_as_many_of_each_class(dtype):
    from keras_csg.metrics.residual_information import _first_half

    labels = np.array([3, 0, 3, 3, 0, 1, 3, 0], dtype)
    first = _first_half(labels, np.random.default_rng(0))
    counts = np.bincount(labels[first], minlength=4)
    assert counts.tolist() == [2, 1, 0, 2]


@pytest.mark.parametrize(
    "changed, message",
    [
        (
            {"filter_classes": [0, 1]},
            "`filter_classes` must have the class",
        ),
        ({"max_pairs": 0}, "`max_pairs` must be at least 1"),
        ({"features": np.full((30, 3), np.nan)}, "`features` must be finite"),
        ({"labels": np.zeros(29, int)}, "`labels` must be 30 integers"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    features, labels = samples(1.0, size=30)
    given = {"features": features, "labels": labels, "filter_classes": CLASSES}
    with pytest.raises(ValueError, match=message):
        metrics.residual_information(**{**given, **changed})
