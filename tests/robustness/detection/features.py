"""Features of classes that lie apart, and a head that tells them."""

import numpy as np

from keras_csg.metrics import Head

CLASSES, FILTERS = 3, 6


def class_features(count, seed=0):
    """Two filters of each class fire where it is, the others hardly."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    features = rng.uniform(0, 0.3, (count, FILTERS))
    own = np.repeat(np.eye(CLASSES), 2, axis=1)[labels]
    features += own * rng.normal(2, 0.3, (count, FILTERS))
    return features.astype("float32")


def gated_head(gated=True):
    rng = np.random.default_rng(7)
    gate = np.repeat(np.eye(CLASSES, dtype="float32"), 2, axis=1)
    kernel = 2 * gate.T + rng.normal(0, 0.1, gate.T.shape)
    bias = rng.normal(0, 0.1, CLASSES)
    return Head(
        kernel.astype("float32"),
        bias.astype("float32"),
        gate if gated else None,
    )
