import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.metrics import mutual_information
from tests.metrics.arrays import relu_features, scikit_learn


def test_result_is_float64_of_classes_by_filters():
    features, labels = relu_features()
    information = mutual_information(features.astype("float16"), labels)
    assert information.shape == (5, 6)
    assert information.dtype == "float64"
    assert information.min() >= 0


def test_two_classes_have_the_same_information():
    features, labels = relu_features(classes=2)
    first, second = mutual_information(features, labels)
    assert_allclose(first, second, atol=1e-12)


def test_classes_without_two_samples_have_rows_of_zeros():
    features, labels = relu_features(samples=60)
    labels = np.where(labels == 3, 2, labels)
    labels[0] = 3
    information = mutual_information(features, labels, num_classes=7)
    assert_array_equal(information[[3, 5, 6]], 0)
    theirs = scikit_learn(features, labels, 7)
    assert_allclose(information, theirs, atol=1e-12)


@pytest.mark.parametrize("ones", [0, 1, 29, 30])
def test_nothing_is_known_when_all_but_one_sample_are_of_a_class(ones):
    features, _ = relu_features(samples=30)
    labels = np.repeat([0, 1], [30 - ones, ones])
    information = mutual_information(features, labels, num_classes=2)
    assert_array_equal(information, np.zeros((2, 6)))


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_fewer_than_four_samples_tell_nothing(samples):
    labels = np.arange(samples)
    information = mutual_information(np.eye(samples), labels)
    assert_array_equal(information, np.zeros((samples, samples)))


def test_arguments_are_not_changed():
    features, labels = relu_features()
    before = features.copy(), labels.copy()
    mutual_information(features, labels)
    assert_array_equal(features, before[0])
    assert_array_equal(labels, before[1])


def test_threads_and_label_types_do_not_matter():
    features, labels = relu_features()
    expected = mutual_information(features, labels)
    threads = mutual_information(features, labels.astype("uint8"), n_jobs=3)
    assert_array_equal(threads, expected)
    listed = mutual_information(features.tolist(), labels.tolist())
    assert_array_equal(listed, expected)


def test_many_classes_need_more_than_16_bits():
    features, labels = relu_features()
    information = mutual_information(features, labels * 10_000)
    assert information.shape == (40_001, 6)
    assert_array_equal(
        information[::10_000], mutual_information(features, labels)
    )


@pytest.mark.parametrize(
    ("features", "labels", "options", "message"),
    [
        (np.ones(4), np.zeros(4, int), {}, r"shape \(samples, filters\).*4,"),
        (np.ones((4, 2, 2, 3)), np.zeros(4, int), {}, r"\(4, 2, 2, 3\)"),
        (np.ones((0, 2)), np.zeros(0, int), {}, r"at least one.*\(0, 2\)"),
        (np.ones((4, 0)), np.zeros(4, int), {}, r"at least one.*\(4, 0\)"),
        (np.full((4, 2), np.nan), np.zeros(4, int), {}, "finite.*8 values"),
        (np.full((4, 2), np.inf), np.zeros(4, int), {}, "finite.*8 values"),
        (np.ones((4, 2)), np.zeros(3, int), {}, r"4 integers.*\(3,\)"),
        (np.ones((4, 2)), np.zeros((4, 1), int), {}, r"4 integers.*\(4, 1\)"),
        (np.ones((4, 2)), np.zeros(4), {}, "4 integers.*float64"),
        (np.ones((4, 2)), np.arange(-1, 3), {}, r"\[0, 3\).*\[-1, 2\]"),
        (
            np.ones((4, 2)),
            np.arange(4),
            {"num_classes": 3},
            r"\[0, 3\).*\[0, 3\]",
        ),
        (np.ones((4, 2)), np.arange(4), {"num_classes": 0}, r"\[0, 0\)"),
        (np.ones((4, 2)), np.arange(4), {"n_neighbors": 0}, "n_neighbors=0"),
        (np.ones((4, 2)), np.arange(4), {"n_neighbors": 2.5}, "=2.5"),
    ],
)
def test_mistakes_are_named(features, labels, options, message):
    with pytest.raises(ValueError, match=message):
        mutual_information(features, labels, **options)
