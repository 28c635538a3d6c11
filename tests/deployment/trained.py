"""Classifiers with answers of their own, as training would leave them."""

import json

import keras
import numpy as np

from keras_csg import CSGClassifier
from keras_csg.deployment.describing import describe
from keras_csg.deployment.graph.answers import answering_model
from tests.tiny import CLASSES, FILTERS, tiny_backbone


def trained_classifier(backbone=None, seed=0, **kwargs):
    """A tiny classifier with a selective gate and uneven statistics."""
    model = CSGClassifier(backbone or tiny_backbone(), CLASSES, **kwargs)
    unsettle(model, seed)
    return model


def unsettle(model, seed=0):
    """Gives normalisations, head and gate values that tell them apart."""
    rng = np.random.default_rng(seed)
    for layer in model.backbone.layers:
        if type(layer).__name__.endswith("BatchNormalization"):
            gamma, beta, mean, variance = (w.shape for w in layer.weights)
            layer.set_weights(
                [
                    rng.uniform(0.5, 2, gamma),
                    rng.normal(0, 0.5, beta),
                    rng.normal(0, 0.2, mean),
                    rng.uniform(0.05, 0.5, variance),
                ]
            )
    model.head.set_weights(
        [rng.normal(0, 2, w.shape) for w in model.head.weights]
    )
    if model.gated:
        gate = rng.uniform(0, 1, (model.num_classes, model.filters)) ** 3
        model.gate.gate_matrix.assign(gate / gate.max(axis=0))


def signed_backbone():
    """Maps of any sign."""
    images = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(images)
    x = keras.layers.Conv2D(FILTERS, 3, strides=2)(x)
    return keras.Model(images, x, name="signed")


def some_images(samples=5, seed=3, dtype="float32", size=8):
    """Noise of a colour of its own in each image, whole numbers 0..255."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 156, (samples, 1, 1, 3))
    noise = rng.integers(0, 100, (samples, size, size, 3))
    return (colours + noise).astype(dtype)


def write_as(exported_format, model, path, **kwargs):
    """Writes a classifier in a `Format`, unproven; returns the path."""
    answering = answering_model(model, **kwargs)
    metadata = describe(model, answering, exported_format.name)
    exported_format.write(answering, metadata, path)
    return path


def unsealed(proto):
    """Takes the digests off an ONNX file, whose graph a test changes."""
    for entry in proto.metadata_props:
        if entry.key == "keras_csg":
            values = json.loads(entry.value)
            del values["digest"]
            entry.value = json.dumps(values)
    return proto


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def answers_by_hand(model, images):
    """All answers in NumPy, from the model's maps and weights."""
    maps = keras.ops.convert_to_numpy(
        model.backbone(images.astype("float32"), training=False)
    ).astype("float64")
    kernel, bias = (w.astype("float64") for w in model.head.get_weights())
    features = maps.mean(axis=(1, 2))
    probabilities = softmax(features @ kernel + bias)
    classes = probabilities.argmax(axis=-1)
    answers = {"probabilities": probabilities, "class_id": classes}
    gated = kernel - kernel.mean(axis=1, keepdims=True)
    if model.gated:
        gated = kernel * keras.ops.convert_to_numpy(model.gate.gate_matrix).T
        specific = softmax(features @ gated + bias)
        answers["class_specific_probabilities"] = specific
        answers["gate_agreement"] = specific[np.arange(len(images)), classes]
    parts, heatmaps = [], []
    for a, m, c in zip(features, maps, classes, strict=True):
        parts.append(a * gated[:, c])
        evidence = np.maximum(m @ gated[:, c], 0)
        heatmaps.append(evidence / (evidence.max() or 1))
    answers["filter_contributions"] = np.array(parts)
    answers["evidence"] = np.array(parts).sum(axis=-1)
    answers["heatmap"] = np.array(heatmaps)
    return answers


def assert_same_answers(given, expected, atol=1e-5):
    assert given.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(
            np.asarray(given[name]), values, atol=atol, err_msg=name
        )
