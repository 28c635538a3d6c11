import numpy as np
from numpy.testing import assert_array_equal

from keras_csg.data.label_sets import (
    images_per_class,
    leading_class,
    names_of_each,
    renumbered,
)

HOT = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 0, 0], [1, 1, 0]])


def test_each_class_of_an_image_counts():
    assert_array_equal(images_per_class(HOT, 3), [4, 2, 1])
    assert_array_equal(images_per_class(np.array([0, 0, 2]), 3), [2, 0, 1])


def test_the_rarest_class_leads():
    assert_array_equal(leading_class(HOT), [1, 0, 2, 3, 1])
    assert_array_equal(leading_class(np.array([2, 0])), [2, 0])


def test_classes_are_left_out_and_become_one():
    number_of = np.array([0, -1, 0])
    found = renumbered(HOT, number_of)
    assert_array_equal(found, [[1], [1], [1], [0], [1]])
    found = renumbered(HOT, np.array([1, 0, -1]))
    assert_array_equal(found[:2], [[1, 1], [0, 1]])
    assert_array_equal(renumbered(np.array([0, 1]), number_of), [0, -1])


def test_names_are_as_a_table_has_them():
    names = ["a", "b", "c"]
    assert names_of_each(HOT[1:4], names) == ["a", "a|c", "-"]
    assert names_of_each(np.array([2, 0]), names) == ["c", "a"]
