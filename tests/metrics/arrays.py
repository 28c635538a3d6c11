"""Features, labels and heads made up for the tests of what measures them."""

import numpy as np
from sklearn.feature_selection import mutual_info_classif

from keras_csg.metrics import Head


def random_samples(samples=80, classes=4, filters=9, seed=0):
    """Features, labels and a head whose filters have a class each, or two."""
    rng = np.random.default_rng(seed)
    gate = rng.uniform(0, 0.9, (classes, filters))
    gate[rng.integers(classes, size=filters), np.arange(filters)] = 1
    gate[0, 3] = 1  # May be a second class's.
    features = rng.exponential(size=(samples, filters))
    labels = rng.integers(classes, size=samples)
    kernel, bias = rng.normal(size=(filters, classes)), rng.normal(size=classes)
    return features, labels, Head(kernel, bias, gate)


def relu_features(samples=400, filters=6, classes=5, seed=0):
    """About half zeros; filter k fires for class k mod classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, samples)
    shift = 2.0 * (labels[:, None] == np.arange(filters) % classes) - 0.3
    features = np.maximum(0, rng.normal(size=(samples, filters)) + shift)
    return features, labels


def scikit_learn(features, labels, num_classes, n_neighbors=3, seed=0):
    """What scikit-learn computes, a class at a time."""
    return np.stack(
        [
            mutual_info_classif(
                features,
                labels == label,
                discrete_features=False,
                n_neighbors=n_neighbors,
                random_state=seed,
            )
            for label in range(num_classes)
        ]
    )
