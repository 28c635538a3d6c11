import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_csg
from keras_csg.training.callbacks.finite_loss import NonFiniteLossError
from keras_csg.training.head_phase import train_head
from keras_csg.training.options import TrainingOptions
from tests.tiny import CLASSES, gate_of, tiny_backbone, tiny_data


class Data:
    """As much of `ClassificationData` as the phase asks for."""

    def __init__(self):
        images, labels = tiny_data(64)
        self.train = self.validation = Split(images, labels)


class Split:
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def batches(self, batch_size):
        for start in range(0, len(self.labels), batch_size):
            stop = start + batch_size
            yield self.images[start:stop], self.labels[start:stop]

    def training_batches(self, batch_size, seed, sampling):
        return self.batches(batch_size)


def trained(filters=None, **kwargs):
    model = keras_csg.build(tiny_backbone(), CLASSES, filters=filters, **kwargs)
    before = [np.array(weight) for weight in model.backbone.weights]
    lines = []
    figures = phase(model, log=lines.append)
    return model, before, figures, lines


def phase(model, **kwargs):
    kwargs = {"epochs": 20, "batch_size": 16, "log": str, **kwargs}
    return train_head(model, Data(), keras.optimizers.Adam(0.03), **kwargs)


@pytest.mark.parametrize(
    "filters", [pytest.param(None, marks=pytest.mark.slow), 8]
)
def test_the_head_trains_while_backbone_and_gate_rest(filters):
    model, before, figures, lines = trained(filters)
    after = [np.array(weight) for weight in model.backbone.weights]
    changed = [(a != b).any() for a, b in zip(after, before, strict=True)]
    # What `filters` adds comes last, a kernel and a bias.
    assert changed == [False] * 6 + [True] * 2 * (filters is not None)
    assert_array_equal(gate_of(model), 1)
    assert not model.gate_budget.scores.numpy().any()
    assert model.gate.trainable
    images, labels = tiny_data(64)
    predicted = model.predict(images, verbose=0).argmax(axis=-1)
    assert (predicted == labels).mean() == pytest.approx(
        figures["val_accuracy"], abs=0.02
    )
    assert figures["val_accuracy"] > 0.7
    assert "20 epochs" in lines[0] and "64 images" in lines[0]
    assert f"accuracy {figures['val_accuracy']:.4f}" in lines[1]


@pytest.mark.slow
def test_a_standard_network_has_the_phase_too():
    model, before, figures, _ = trained(gated=False)
    assert figures["val_accuracy"] > 0.7
    for weight, old in zip(model.backbone.weights, before, strict=True):
        assert_array_equal(weight, old)


def test_a_loss_that_is_no_number_is_told_where_it_appears():
    model = keras_csg.build(tiny_backbone(), CLASSES)
    rate = keras.optimizers.SGD(1e38)
    said = "loss is (nan|inf) in step . of epoch 1 of the head. .*head learning"
    with pytest.raises(NonFiniteLossError, match=said):
        train_head(model, Data(), rate, epochs=3, batch_size=16, log=str)


@pytest.mark.parametrize("name", ["head_epochs", "head_learning_rate"])
def test_it_is_for_weights(name):
    with pytest.raises(ValueError, match=f"`{name}`.*weights=None"):
        TrainingOptions(**{name: 3})


def test_what_is_frozen_stays_so_and_the_gate_as_it_is():
    model = keras_csg.build(tiny_backbone(), CLASSES, filters=8)
    model.get_layer("gated_conv").trainable = False
    gate_matrix = np.eye(CLASSES, 8, dtype="float32")
    model.gate.gate_matrix.assign(gate_matrix)
    added = np.array(model.get_layer("gated_conv").kernel)
    phase(model)
    assert_array_equal(gate_of(model), gate_matrix)
    assert_array_equal(model.get_layer("gated_conv").kernel, added)
    model.head.trainable = False
    lines = []
    with pytest.raises(ValueError, match="nothing to train.*head"):
        phase(model, log=lines.append)
    assert not lines  # Before all images went through the backbone.


@pytest.mark.parametrize("name", ["epochs", "batch_size"])
def test_its_numbers_are_checked(name):
    model = keras_csg.build(tiny_backbone(), CLASSES)
    for value in (0, 1.5):
        with pytest.raises(ValueError, match=f"`{name}`.*{value}"):
            phase(model, **{name: value})
