import numpy as np
from numpy.testing import assert_allclose
from scipy import stats

from keras_csg.explain.similarity import (
    rank_correlation,
    structural_similarity,
)


def test_rank_correlation_is_scipys():
    maps, others = np.random.default_rng(0).random((2, 3, 6, 5)).round(1)
    expected = [
        stats.spearmanr(a.ravel(), b.ravel()).statistic
        for a, b in zip(maps, others, strict=True)
    ]
    assert_allclose(rank_correlation(maps, others), expected)


def test_equal_and_opposite_maps():
    maps = np.random.default_rng(0).random((2, 9, 9))
    assert_allclose(rank_correlation(maps, maps**3), 1)
    assert_allclose(rank_correlation(maps, -maps), -1)
    assert_allclose(structural_similarity(maps, 5 * maps - 2), 1)
    assert (structural_similarity(maps, -maps) < 0).all()


def test_a_constant_map_orders_nothing():
    maps = np.random.default_rng(0).random((1, 9, 9))
    assert rank_correlation(maps, np.ones((1, 9, 9))) == 0
    assert rank_correlation(np.zeros((1, 9, 9)), np.ones((1, 9, 9))) == 1
    assert 0 <= structural_similarity(maps, np.ones((1, 9, 9)))[0] < 0.1
