"""Which filters misled, and which mistakes are shown, by hand."""

import numpy as np
import pytest

from keras_csg.metrics import Head
from keras_csg.reports.mistakes import (
    MOST_OF_A_PAIR,
    confused_pairs,
    find_mistakes,
    misleading_filters,
    right_examples,
)
from tests.reports.fakes import fake

HEAD = Head(
    kernel=np.array([[2.0, 0.0], [1.0, 4.0], [0.0, 1.0]]),
    bias=np.array([0.5, 0.0]),
)


def test_pushes_by_hand():
    """Of class 0, taken for 1: by W[1] - W[0] = (-2, 3, 1), times a."""
    features = np.array([[1.0, 2.0, 3.0]])
    filters, pushes = misleading_filters(
        features, np.array([0]), np.array([1]), HEAD
    )
    assert filters.tolist() == [[1, 2, 0]]
    assert pushes.tolist() == [[6, 3, -2]]
    logits = HEAD.logits(features)[0]
    assert pushes.sum() - 0.5 == pytest.approx(logits[1] - logits[0])


def test_mistakes_are_wrong_and_the_surest_come_first():
    gathered = fake(["a", "b", "c", "d"], samples=400)
    measured, found = gathered.measured, gathered.mistakes
    labels, predicted = measured.samples.labels, measured.predicted
    assert found
    for mistake in found:
        assert labels[mistake.sample] == mistake.label != mistake.taken_for
        assert predicted[mistake.sample] == mistake.taken_for
        assert mistake.confidence > mistake.probability and mistake.lead > 0
        pushes = [push for _, push in mistake.filters]
        assert pushes == sorted(pushes, reverse=True) and min(pushes) > 0
    sure = [mistake.confidence for mistake in found]
    assert sure == sorted(sure, reverse=True)
    wrong = labels != predicted
    assert sure[0] == measured.confidence[wrong, 0].max()


def test_mistakes_are_not_all_of_one_kind():
    found = find_mistakes(fake(["a", "b"], filters=4, samples=400).measured, 50)
    pairs = [(m.label, m.taken_for) for m in found]
    assert max(map(pairs.count, pairs)) == MOST_OF_A_PAIR
    assert len(find_mistakes(fake(["a", "b"], samples=400).measured, 1)) <= 1


def test_pairs_by_hand():
    confusion = np.array([[6, 2, 0], [5, 3, 2], [0, 0, 4]])
    assert confused_pairs(confusion) == [
        (1, 0, 5, 0.5),
        (0, 1, 2, 0.25),
        (1, 2, 2, 0.2),
    ]
    assert confused_pairs(confusion, most=1) == [(1, 0, 5, 0.5)]
    assert confused_pairs(np.eye(3, dtype=int)) == []


def test_examples_are_told_right():
    measured = fake(["a", "b", "c"]).measured
    for label, samples in right_examples(measured, 4).items():
        assert 0 < len(samples) <= 4 and len(set(samples)) == len(samples)
        assert set(measured.samples.labels[samples]) == {label}
        assert set(measured.predicted[samples]) == {label}
