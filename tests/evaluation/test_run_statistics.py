import numpy as np
import pytest

from keras_csg.evaluation import difference, mean_and_deviation


def test_mean_and_deviation_by_hand():
    runs = [
        {"a": 1.0, "b": [0, 1], "only": 1, "missing": None, "name": "x"},
        {"a": 2.0, "b": [2, 1], "missing": 3.0, "name": "y"},
        {"a": 6.0, "b": [4, 1], "only": 1, "missing": 1.0, "name": "z"},
    ]
    mean, deviation = mean_and_deviation(runs)
    assert mean == {"a": 3.0, "b": [2.0, 1.0]}
    assert deviation == {"a": pytest.approx(np.sqrt(7)), "b": [2.0, 0.0]}


def test_one_run_has_no_deviation():
    with pytest.raises(ValueError, match="at least two runs. Received: 1"):
        mean_and_deviation([{"a": 1.0}])


def test_a_difference_is_of_what_both_have():
    assert difference(
        {"a": 0.75, "b": 3, "c": 1, "l": [1, 2]}, {"a": 0.25, "b": 5, "l": [1]}
    ) == {"a": 0.5, "b": -2}
