"""Images and labels keep their digits under 16-bit policies."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from tests.tiny import CLASSES, FILTERS, tiny_classifier, tiny_data

POLICIES = ["mixed_bfloat16", "mixed_float16"]


@pytest.fixture(params=POLICIES)
def policy(request):
    keras.config.set_dtype_policy(request.param)
    return request.param


class Seen(keras.layers.Layer):
    """Hands its inputs on and keeps what the first image's first pixel was."""

    def __init__(self):
        super().__init__(dtype="float32", autocast=False)

    def build(self, shape):
        self.pixel = self.add_weight(
            shape=(3,), trainable=False, autocast=False
        )

    def call(self, images):
        self.pixel.assign(images[0, 0, 0])
        return images


def seeing_classifier():
    images = keras.Input((8, 8, 3))
    x = Seen()(images)
    x = keras.layers.Conv2D(FILTERS, 3, activation="relu")(x)
    backbone = keras.Model(images, x)
    model = keras_csg.CSGClassifier(backbone, CLASSES, closing_steps=1)
    model.compile("sgd")
    return model, model.backbone.layers[1]


WAYS = {
    "call": lambda model, x, y: model(x),
    "gated call": lambda model, x, y: model(x, labels=y),
    "features": lambda model, x, y: model.features(x),
    "predict": lambda model, x, y: model.predict(x, verbose=0),
    "predict on batch": lambda model, x, y: model.predict_on_batch(x),
    "evaluate": lambda model, x, y: model.evaluate(x, y, verbose=0),
    "fit": lambda model, x, y: model.fit(x, y, verbose=0),
    "train on batch": lambda model, x, y: model.train_on_batch(x, y),
}


@pytest.mark.parametrize("way", WAYS)
def test_images_are_not_rounded_on_any_way(policy, way):
    """100.3 would be 100.5 in bfloat16 and 100.3125 in float16."""
    model, seen = seeing_classifier()
    images = np.full((4, 8, 8, 3), 100.3, "float32")
    WAYS[way](model, images, np.arange(4))
    assert_array_equal(seen.pixel.numpy(), images[0, 0, 0])


def test_all_ways_give_the_same_logits(policy, tmp_path):
    model = tiny_classifier()
    images, labels = tiny_data()
    model.gate.gate_matrix.assign(np.eye(CLASSES, FILTERS) * 0.7 + 0.3)
    model.compile("sgd")
    model.save(tmp_path / "model.keras")
    predicted = model.predict(images, batch_size=70, verbose=0)
    kernel, bias = model.head.get_weights()
    features = np.asarray(model.features(images))
    assert_allclose(features @ kernel + bias, predicted, atol=1e-5)
    assert_array_equal(np.asarray(model(images)), predicted)
    found = model.evaluate(
        images, labels, batch_size=70, verbose=0, return_dict=True
    )
    assert found["accuracy"] == pytest.approx(
        (predicted.argmax(axis=1) == labels).mean()
    )
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert found["loss"] == pytest.approx(
        float(crossentropy(labels, predicted)), rel=1e-5
    )
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = loaded.predict(images, batch_size=70, verbose=0)
    assert_array_equal(again, predicted)


def test_soft_labels_are_not_rounded(policy):
    """Against NumPy in float64; 0.9 of bfloat16 is 0.8984."""
    model = tiny_classifier()
    images, labels = tiny_data(16)
    gate = np.random.default_rng(0).uniform(size=(CLASSES, FILTERS))
    gate[0] = 1
    model.gate.gate_matrix.assign(gate)
    model.compile("sgd")
    soft = (0.87 * np.eye(CLASSES)[labels] + 0.0325).astype("float32")
    features = np.asarray(model.features(images), "float64")
    kernel, bias = (w.astype("float64") for w in model.head.get_weights())
    gated = (soft @ gate * features) @ kernel + bias
    assert_allclose(model(images, labels=soft), gated, atol=1e-5)
    logs = model.test_on_batch(images, soft, return_dict=True)
    for name, logits in {
        "loss": features @ kernel + bias,
        "gated_loss": gated,
        "class_specific_loss": features @ (kernel * gate.T) + bias,
    }.items():
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        expected = -(soft * log_p).sum(axis=1).mean()
        assert float(logs[name]) == pytest.approx(expected, rel=1e-5), name


@keras.saving.register_keras_serializable(package="tests")
class Paths(keras.layers.Layer):
    """A user's layer, of 16 bits, that asks a classifier for its paths."""

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def call(self, features):
        return (
            self.model.class_specific_logits(features),
            self.model.gate(features, np.zeros(len(features), "int32")),
            self.model.head(features),
        )


def test_the_heads_kernel_keeps_its_digits_within_others_layers(policy):
    model = tiny_classifier()
    gate = np.random.default_rng(0).uniform(size=(CLASSES, FILTERS))
    gate[0] = 1
    model.gate.gate_matrix.assign(gate)
    kernel, bias = model.head.get_weights()
    # As integers they are the same in any dtype, and it is the weights' turn.
    features = np.arange(2 * FILTERS, dtype="float32").reshape(2, FILTERS)
    specific, rows, standard = Paths(model)(features)
    assert_allclose(specific, features @ (kernel * gate.T) + bias, rtol=1e-5)
    assert_allclose(rows, features * gate[0], rtol=1e-6)
    assert_allclose(standard, features @ kernel + bias, rtol=1e-5)
