"""How well each class is told, against figures worked out by hand."""

import numpy as np
import pytest

from keras_csg.evaluation.class_figures import class_figures, confusion_of

# Of 8, 4 and 0 images; nothing is taken for the last.
CONFUSION = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])


def test_each_class_and_the_means():
    figures = class_figures(CONFUSION)
    assert figures["class_recall"] == [6 / 8, 3 / 4, None]
    assert figures["class_precision"] == pytest.approx([6 / 7, 3 / 5, None])
    f1 = [12 / 15, 6 / 9]
    assert figures["class_f1"] == pytest.approx([*f1, None])
    assert figures["class_support"] == [8, 4, 0]
    assert figures["balanced_accuracy"] == pytest.approx(3 / 4)
    assert figures["macro_f1"] == pytest.approx(sum(f1) / 2)
    assert figures["confusion_matrix"] == CONFUSION.tolist()


def test_a_class_that_is_never_named_counts_as_zero():
    figures = class_figures(np.array([[2, 0], [3, 0]]))
    assert figures["class_precision"] == [0.4, None]
    assert figures["class_recall"] == [1, 0]
    assert figures["macro_f1"] == pytest.approx((4 / 7 + 0) / 2)


def test_the_matrix_of_many_classes_is_not_among_the_figures():
    assert "confusion_matrix" not in class_figures(np.eye(101, dtype=int))


def test_rows_are_the_true_classes():
    logits = np.eye(3)[[0, 1, 1, 2, 1]]
    found = confusion_of(np.array([0, 0, 1, 1, 1]), logits)
    np.testing.assert_array_equal(found, [[1, 1, 0], [0, 2, 1], [0, 0, 0]])
