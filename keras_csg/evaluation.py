"""Figures of a trained classifier, from one pass over the data."""

import keras
import numpy as np


def collect_features(model, batches):
    """Runs the backbone once over the data.

    Args:
        model: `CSGClassifier`.
        batches: iterable of image batches `(batch, height, width, 3)` and
            their labels `(batch,)`.

    Returns:
        A tuple of features `(samples, filters)`, float32, and labels
        `(samples,)`, int32.
    """
    extractor = keras.Model(
        model.backbone.input, model.pooling(model.backbone.output)
    )
    features, labels = [], []
    for images, batch_labels in batches:
        features.append(extractor.predict_on_batch(images))
        labels.append(keras.ops.convert_to_numpy(batch_labels))
    return np.concatenate(features), np.concatenate(labels)


def evaluate(model, split, batch_size=128):
    """Measures a classifier on a split.

    Args:
        model: `CSGClassifier`.
        split: `ImageSplit`.
        batch_size: int.

    Returns:
        A flat dict with `examples` and `accuracy` and, for a gated model,
        `class_specific_accuracy`, `own_accuracy`, `complement_accuracy` and
        `l1_density`, all in `[0, 1]`.
    """
    features, labels = collect_features(model, split.batches(batch_size))
    kernel, bias = (keras.ops.convert_to_numpy(v) for v in model.head.weights)
    results = {
        "examples": len(labels),
        "accuracy": accuracy(features @ kernel + bias, labels),
    }
    if not model.gated:
        return results
    gate_matrix = keras.ops.convert_to_numpy(model.gate.gate_matrix)
    return results | gate_figures(features, labels, kernel, bias, gate_matrix)


def gate_figures(features, labels, kernel, bias, gate_matrix):
    """Measures what the gate's filters know.

    Args:
        features: array `(samples, filters)`.
        labels: integers `(samples,)`.
        kernel: the head's kernel `(filters, classes)`.
        bias: the head's bias `(classes,)`.
        gate_matrix: array `(classes, filters)` in `[0, 1]`.

    Returns:
        A flat dict: `class_specific_accuracy` of the `(W * G)` head;
        `own_accuracy` and `complement_accuracy` of the standard head on the
        filters fully open to the class it predicts, and on all the others;
        `l1_density`.
    """
    predicted = (features @ kernel + bias).argmax(axis=-1)
    own = (gate_matrix >= 1)[predicted]  # (samples, filters)
    return {
        "class_specific_accuracy": accuracy(
            features @ (kernel * gate_matrix.T) + bias, labels
        ),
        "own_accuracy": accuracy((features * own) @ kernel + bias, labels),
        "complement_accuracy": accuracy(
            (features * ~own) @ kernel + bias, labels
        ),
        "l1_density": float(np.abs(gate_matrix).mean()),
    }


def accuracy(logits, labels):
    """Returns the share of labels that have the largest logit."""
    return float((logits.argmax(axis=-1) == labels).mean())
