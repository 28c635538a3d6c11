import numpy as np
from numpy.testing import assert_array_equal

from keras_csg.data.splits.holdout import hold_out, three_ways


def test_classes_keep_their_shares():
    labels = np.array([0] * 80 + [1] * 20)
    kept, held = hold_out(labels, 0.25, seed=0)
    assert_array_equal(np.bincount(labels[held]), [20, 5])
    assert_array_equal(np.sort([*kept, *held]), np.arange(100))
    assert_array_equal(kept, np.sort(kept))


def test_another_seed_holds_out_others():
    labels = np.array([0, 1] * 50)
    first, again = hold_out(labels, 0.1, 3)[1], hold_out(labels, 0.1, 3)[1]
    assert_array_equal(first, again)
    assert set(first) != set(hold_out(labels, 0.1, 4)[1])


def test_a_class_of_one_image_does_not_stop_the_others():
    kept, held = hold_out(np.array([0] * 9 + [1]), 0.2, seed=0)
    assert len(kept) == 8
    assert len(held) == 2


def test_fewer_held_out_than_classes():
    kept, held = hold_out(np.arange(10) // 2, 0.1, seed=0)
    assert (len(kept), len(held)) == (9, 1)


def test_the_test_part_does_not_follow_the_seed():
    labels = np.array([0, 1] * 50)
    first, second = three_ways(labels, 0.1, 0), three_ways(labels, 0.1, 1)
    assert [len(part) for part in first] == [72, 8, 20]
    assert_array_equal(first[2], second[2])
    assert set(first[1]) != set(second[1])
    assert_array_equal(np.sort(np.concatenate(first)), np.arange(100))
