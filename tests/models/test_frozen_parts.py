"""What rests when a classifier is saved rests when it is loaded."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_csg
from keras_csg.explain.cloning import clone_classifier
from tests.tiny import tiny_backbone, tiny_classifier, tiny_data

pytestmark = pytest.mark.filterwarnings("ignore:The whole backbone rests")


def attentive():
    """A backbone with layers inside a layer."""
    images = keras.Input((4, 4, 3))
    x = keras.layers.Reshape((16, 3))(images)
    x = keras.layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    return keras.Model(images, keras.layers.Reshape((4, 4, 3))(x))


def frozen_gate():
    model = tiny_classifier()
    model.gate.trainable = False
    return model, ["gate"]


def frozen_head():
    model = tiny_classifier()
    model.head.trainable = False
    return model, ["head"]


def frozen_head_of_a_standard_network():
    model = tiny_classifier(gated=False)
    model.head.trainable = False
    return model, ["head"]


def frozen_backbone():
    model = keras_csg.build(tiny_backbone(), 4, freeze="all")
    return model, ["backbone/conv", "backbone/norm"]


def frozen_by_hand():
    model = tiny_classifier()
    model.backbone.trainable = False
    return model, ["backbone/conv", "backbone/norm"]


def frozen_first_layer():
    return keras_csg.build(tiny_backbone(), 4, freeze=1), ["backbone/conv"]


def frozen_inner_layer():
    model = keras_csg.CSGClassifier(attentive(), 4)
    attention = model.get_layer("attention")
    attention.query_dense.trainable = False
    return model, [name for name in model.frozen if "attention/" in name]


@keras.saving.register_keras_serializable(package="tests")
class Normalized(keras.layers.Layer):
    """A layer with a batch normalization within, which its config builds."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = keras.layers.Conv2D(6, 3, padding="same")
        self.norm = keras.layers.BatchNormalization()

    def build(self, shape):
        self.conv.build(shape)
        self.norm.build((*shape[:-1], 6))

    def call(self, images, training=None):
        return self.norm(self.conv(images), training=training)


def frozen_statistics_of_an_inner_layer():
    images = keras.Input((8, 8, 3))
    backbone = keras.Model(images, Normalized(name="block")(images))
    model = keras_csg.build(backbone, 4, freeze="statistics")
    model.get_layer("block").conv.trainable = False
    return model, ["backbone/block/0", "backbone/block/1/statistics"]


def nothing_frozen():
    return tiny_classifier(), []


CASES = [
    frozen_gate,
    frozen_head,
    frozen_head_of_a_standard_network,
    frozen_backbone,
    frozen_by_hand,
    frozen_first_layer,
    frozen_inner_layer,
    frozen_statistics_of_an_inner_layer,
    nothing_frozen,
]


def places(model, variables):
    """Returns the places of some variables among all of a model."""
    order = {id(variable): n for n, variable in enumerate(model.variables)}
    return [order[id(variable)] for variable in variables]


@pytest.mark.parametrize("case", CASES)
def test_what_rests_is_saved(case, tmp_path):
    model, names = case()
    assert model.frozen == names and (names or case is nothing_frozen)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    model.build_optimizer()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.frozen == names
    assert places(loaded, loaded.trainable_variables) == places(
        model, model.trainable_variables
    )
    count = len(loaded.optimizer.variables)
    assert count == len(model.optimizer.variables)


@pytest.mark.parametrize("case", CASES)
def test_what_rests_in_a_copy(case):
    model, names = case()
    assert clone_classifier(model).frozen == names


def test_a_gate_that_rests_stays_where_it_is_after_loading(tmp_path):
    frozen_gate()[0].save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    values = np.linspace(0.1, 1, model.gate.gate_matrix.shape[1])
    model.gate.gate_matrix.assign(np.tile(values, (4, 1)))
    before = np.array(model.gate.gate_matrix)
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9))
    model.fit(*tiny_data(), verbose=0)
    assert_array_equal(model.gate.gate_matrix, before)


def test_frozen_statistics_are_saved(tmp_path):
    model = keras_csg.build(tiny_backbone(), 4, freeze="statistics")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    norm = loaded.get_layer("norm")
    assert type(norm) is keras_csg.layers.FrozenStatisticsBatchNormalization
    before, gamma = np.array(norm.moving_mean), np.array(norm.gamma)
    loaded.compile(keras.optimizers.SGD(0.1))
    loaded.fit(*tiny_data(), verbose=0)
    assert_array_equal(norm.moving_mean, before)
    assert not np.array_equal(norm.gamma, gamma)


def test_frozen_statistics_of_an_inner_layer_are_saved(tmp_path):
    frozen_statistics_of_an_inner_layer()[0].save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    norm = loaded.get_layer("block").norm
    before, gamma = np.array(norm.moving_mean), np.array(norm.gamma)
    loaded.compile(keras.optimizers.SGD(0.1))
    loaded.fit(*tiny_data(), verbose=0)
    assert_array_equal(norm.moving_mean, before)
    assert not np.array_equal(norm.gamma, gamma)


def test_a_layer_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="frozen='backbone/nowhere'"):
        tiny_classifier(frozen=["backbone/nowhere"])
