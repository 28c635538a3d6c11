import json

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif

from keras_csg import metrics
from keras_csg.evaluation.classification import gate_figures, network_figures
from keras_csg.metrics import Head
from tests.metrics.arrays import random_samples


def test_figures_are_their_functions():
    features, labels, head = arrays = random_samples()
    found = network_figures(*arrays) | gate_figures(*arrays, density=0.5)
    scores = [
        mutual_info_classif(features, labels == c, random_state=0)
        for c in range(4)
    ]
    assert found["mis"] == pytest.approx(np.max(scores, axis=0).mean())
    own = [scores[c][k] for k, c in enumerate(head.classes_of_filters())]
    assert found["own_class_mis"] == pytest.approx(np.mean(own))
    assert found["class_agreement"] == np.mean(own == np.max(scores, axis=0))
    classes = head.classes_of_filters()
    shares = np.bincount(labels) / 80
    entropies = -shares * np.log(shares) - (1 - shares) * np.log(1 - shares)
    assert found["specificity"] == pytest.approx(
        np.mean(np.array(own) / entropies[classes])
    )
    probe = metrics.residual_information(features, labels, classes)
    assert found["residual_information"] == probe.residual
    assert found["probe_auc"] == probe.all_filters
    assert found["probe_pairs"] == 6
    predicted = (features @ head.kernel + head.bias).argmax(axis=1)
    assert found["predicted_complement_accuracy"] == (
        metrics.complement_accuracy(*arrays, rows=predicted)
    )
    assert found["complement_probability"] == (
        metrics.complement_probability(*arrays)
    )
    by_activation = metrics.filter_correlation(features.T, classes)
    assert found["cross_class_activation_correlation"] == by_activation[1]
    by_weight = metrics.filter_correlation(head.kernel, classes)
    assert found["same_class_correlation"] == by_weight[0]
    assert found["l1_interval"] == [0.25, 0.5]
    for path in ("class_specific", "own", "complement", "gated"):
        name = f"{path}_accuracy"
        assert found[name] == getattr(metrics, name)(*arrays), name
    assert found["accuracy"] == metrics.standard_accuracy(*arrays)
    assert found["examples"] == 80 and found["filters"] == 9
    shuffled = metrics.shuffled_gate(*arrays)
    assert found["shuffled_row_accuracy"] == shuffled.row_accuracy
    json.dumps(found, allow_nan=False)


def test_without_a_gate_filters_belong_to_their_largest_weight():
    features, labels, head = random_samples()
    kernel = head.kernel
    found = network_figures(features, labels, Head(kernel, head.bias))
    assert (
        found["same_class_correlation"]
        == metrics.filter_correlation(kernel, kernel.argmax(axis=1))[0]
    )


def test_what_is_not_defined_is_null_in_json():
    """One filter a class, and a network that knows nothing."""
    features, labels = np.zeros((6, 2)), np.array([0, 1] * 3)
    found = network_figures(features, labels, Head(np.eye(2), np.zeros(2)))
    assert found["same_class_correlation"] is None
    assert found["cross_class_activation_correlation"] is None
    assert found["dead_filters"] == 2
    assert found["class_agreement"] == 0
    assert found["accuracy"] == 0.5
