import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from keras_csg.metrics import filter_correlation


def test_small_case_by_hand():
    vectors = np.array([[1.0, 0], [-2, 0], [3, 3], [0, 5]])
    same, cross = filter_correlation(vectors, [0, 0, 1, 2])
    assert same == pytest.approx(1)  # The sign does not count.
    diagonal = np.sqrt(0.5)
    # Pairs 02, 03, 12, 13, 23.
    assert cross == pytest.approx((diagonal + 0 + diagonal + 0 + diagonal) / 5)


def test_cosines_are_scikit_learns():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 5)).astype("float32")
    classes = rng.integers(3, size=12)
    cosines = np.abs(cosine_similarity(vectors))
    pairs = [(i, j) for i in range(12) for j in range(i)]
    same = [cosines[i, j] for i, j in pairs if classes[i] == classes[j]]
    cross = [cosines[i, j] for i, j in pairs if classes[i] != classes[j]]
    assert filter_correlation(vectors, classes) == pytest.approx(
        (np.mean(same), np.mean(cross)), rel=1e-6
    )


def test_a_filter_of_zeros_is_left_out():
    vectors = np.array([[1.0, 0], [0, 0], [1, 0], [0, 1]])
    assert filter_correlation(vectors, [0, 0, 0, 1]) == (1, 0)


def test_without_a_pair_there_is_no_figure():
    same, cross = filter_correlation(np.eye(3), [0, 1, 2])
    assert np.isnan(same) and cross == 0
    same, cross = filter_correlation(np.ones((2, 2)), [4, 4])
    assert same == pytest.approx(1) and np.isnan(cross)
    assert np.isnan(filter_correlation(np.zeros((3, 2)), [0, 0, 1])).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_size_does_not_matter(scale):
    vectors = np.array([[1, 0], [1, 1], [2, 1]], "float32")
    expected = filter_correlation(vectors, [0, 0, 1])
    scaled = filter_correlation(vectors * np.float32(scale), [0, 0, 1])
    assert scaled == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("vectors", "classes", "message"),
    [
        (np.ones(3), [0, 0, 0], "two axes.*vectors"),
        (np.array([[np.inf, 1.0]]), [0], "finite.*vectors"),
        (np.eye(3), [0, 1], "3 integers"),
        (np.eye(3), [0, 1, -1], "at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(vectors, classes, message):
    with pytest.raises(ValueError, match=message):
        filter_correlation(vectors, classes)
