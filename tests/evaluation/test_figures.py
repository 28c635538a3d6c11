import json

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif

from keras_csg import metrics
from keras_csg.evaluation.figures import gate_figures, network_figures
from keras_csg.evaluation.run_statistics import difference, mean_and_deviation
from tests.metrics.test_path_accuracy import random_arrays


def test_figures_are_their_functions():
    features, labels, kernel, bias, gate = arrays = random_arrays()
    found = network_figures(*arrays) | gate_figures(*arrays, density=0.5)
    scores = [
        mutual_info_classif(features, labels == c, random_state=0)
        for c in range(4)
    ]
    assert found["mis"] == pytest.approx(np.max(scores, axis=0).mean())
    own = [scores[c][k] for k, c in enumerate(gate.argmax(axis=0))]
    assert found["own_class_mis"] == pytest.approx(np.mean(own))
    assert found["class_agreement"] == np.mean(own == np.max(scores, axis=0))
    logits = features @ kernel + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found["specificity"] == pytest.approx(
        metrics.specificity(features, probabilities, labels)
    )
    classes = gate.argmax(axis=0)
    by_activation = metrics.filter_correlation(features.T, classes)
    assert found["cross_class_activation_correlation"] == by_activation[1]
    by_weight = metrics.filter_correlation(kernel, classes)
    assert found["same_class_correlation"] == by_weight[0]
    assert found["l1_interval"] == [0.25, 0.5]
    assert found["own_accuracy"] == metrics.own_accuracy(*arrays)
    assert found["examples"] == 80 and found["filters"] == 9
    shuffled = metrics.shuffled_gate(*arrays)
    assert found["shuffled_row_accuracy"] == shuffled.row_accuracy
    json.dumps(found, allow_nan=False)


def test_without_a_gate_filters_belong_to_their_largest_weight():
    features, labels, kernel, bias, _ = random_arrays()
    found = network_figures(features, labels, kernel, bias)
    assert (
        found["same_class_correlation"]
        == metrics.filter_correlation(kernel, kernel.argmax(axis=1))[0]
    )


def test_what_is_not_defined_is_null_in_json():
    """One filter a class, and a network that knows nothing."""
    features, labels = np.zeros((6, 2)), np.array([0, 1] * 3)
    found = network_figures(features, labels, np.eye(2), np.zeros(2))
    assert found["same_class_correlation"] is None
    assert found["cross_class_activation_correlation"] is None
    assert found["dead_filters"] == 2
    assert found["class_agreement"] == 0
    assert found["accuracy"] == 0.5


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
