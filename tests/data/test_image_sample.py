import numpy as np
import pytest

from keras_csg.data.image_sample import (
    sample_images,
    sample_images_of_all_classes,
)
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader

RARE = 2


@pytest.fixture
def split():
    """600 images that show their number; of class 2 there are four."""
    numbers = np.arange(600)
    images = np.zeros((600, 2, 2, 3), "uint8")
    images[:, 0, 0, 0], images[:, 0, 0, 1] = numbers // 256, numbers % 256
    labels = np.sort(numbers % 2)
    labels[[7, 77, 177, 477]] = RARE
    return IndexedSplit(
        cached_reader(images), labels, numbers, 3, (2, 2, 3), cached=True
    )


def numbers_of(images):
    return images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 0, 1]


@pytest.mark.parametrize("limit", [1, 100, 300])
def test_a_sample_is_of_different_images_with_their_labels(split, limit):
    images, labels = sample_images(split, limit)
    numbers = numbers_of(images)
    assert images.dtype == "uint8"
    assert len(set(numbers)) == len(labels) == limit
    _, all_labels = split.images_and_labels()
    np.testing.assert_array_equal(labels, all_labels[numbers])


def test_a_sample_runs_through_the_whole_split_and_repeats_itself(split):
    numbers = numbers_of(sample_images(split, 100)[0])
    assert numbers.min() < 60 and numbers.max() > 540
    again = numbers_of(sample_images(split, 100)[0])
    np.testing.assert_array_equal(numbers, again)


def test_a_split_that_is_small_enough_comes_whole_and_in_order(split):
    images, _ = sample_images(split, 600)
    np.testing.assert_array_equal(numbers_of(images), np.arange(600))


def test_classes_come_by_turns_until_a_rare_one_is_used_up(split):
    images, labels = sample_images_of_all_classes(split, 150)
    np.testing.assert_array_equal(np.bincount(labels), [73, 73, 4])
    _, all_labels = split.images_and_labels()
    np.testing.assert_array_equal(labels, all_labels[numbers_of(images)])
