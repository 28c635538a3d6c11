import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_csg
from keras_csg.backbones.freezing import freeze_backbone, rests
from keras_csg.layers import FrozenStatisticsBatchNormalization
from tests.tiny import tiny_backbone, tiny_data


def trainable(model):
    return [layer.name for layer in model.layers if layer.trainable_weights]


def test_everything_rests():
    backbone = tiny_backbone()
    assert not rests(backbone)
    freeze_backbone(backbone, "all")
    assert rests(backbone) and not backbone.trainable_weights


@pytest.mark.parametrize("number, left", [(1, ["norm"]), (2, [])])
def test_the_first_layers_rest(number, left):
    backbone = tiny_backbone()
    freeze_backbone(backbone, number)
    assert trainable(backbone) == left
    assert rests(backbone) is (not left)


def test_statistics_rest_and_the_others_train():
    backbone = tiny_backbone()
    freeze_backbone(backbone, "statistics")
    assert trainable(backbone) == ["conv", "norm"] and not rests(backbone)
    norm = backbone.get_layer("norm")
    assert isinstance(norm, FrozenStatisticsBatchNormalization)


def test_nothing_rests_where_nothing_is_asked_for():
    backbone = tiny_backbone()
    freeze_backbone(backbone, None)
    assert trainable(backbone) == ["conv", "norm"]


@pytest.mark.parametrize(
    "freeze, words",
    [
        ("some", "all, statistics or a number.*freeze='some'"),
        (0, "at least 1.*freeze=0"),
        (True, "freeze=True"),
        (1.5, "freeze=1.5"),
        (3, "at most 2, the layers of tiny with weights.*freeze=3"),
    ],
)
def test_what_cannot_rest_is_named(freeze, words):
    with pytest.raises(ValueError, match=words):
        freeze_backbone(tiny_backbone(), freeze)


def test_statistics_that_are_not_there_cannot_rest():
    with pytest.raises(ValueError, match="no effect: tiny has no batch norm"):
        freeze_backbone(tiny_backbone(normalized=False), "statistics")


def test_what_a_filters_argument_adds_never_rests():
    model = keras_csg.build(tiny_backbone(), 4, filters=5, freeze="all")
    assert trainable(model.backbone) == ["gated_conv"]
    assert rests(model.backbone)


def test_what_lies_behind_the_gate_does_not_count():
    with pytest.raises(ValueError, match="at most 1"):
        keras_csg.build(tiny_backbone(), 4, gate_at="conv", freeze=2)


def fit(model):
    images, labels = tiny_data()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=1e-3))
    model.fit(images, labels, verbose=0, epochs=2)


def test_where_all_rests_and_no_filters_are_added_it_is_said():
    with pytest.warns(UserWarning, match="cannot become class-specific"):
        keras_csg.build(tiny_backbone(), 4, freeze="all")
    for options in ({"filters": 5}, {"gated": False}):
        keras_csg.build(tiny_backbone(), 4, freeze="all", **options)
    keras_csg.build(tiny_backbone(), 4, freeze=1)


@pytest.mark.filterwarnings("ignore:The whole backbone rests")
@pytest.mark.parametrize("filters", [None, 5])
def test_a_resting_backbone_keeps_every_weight(filters):
    model = keras_csg.build(tiny_backbone(), 4, freeze="all", filters=filters)
    resting = [
        weight
        for name in ("conv", "norm")
        for weight in model.get_layer(name).weights
    ]
    before = [np.array(weight) for weight in resting]
    others = [np.array(weight) for weight in model.trainable_weights]
    assert len(others) == (3 if filters is None else 5)
    fit(model)
    for old, new in zip(before, resting, strict=True):
        assert_array_equal(new, old)
    for old, new in zip(others, model.trainable_weights, strict=True):
        assert not np.array_equal(new, old)


def test_a_resting_backbone_drops_nothing_out():
    """Or the head would see other features than it has to do with later."""
    losses = []
    for dropout in (0.0, 0.9):
        keras.utils.set_random_seed(0)
        backbone = tiny_backbone()
        backbone.get_layer("dropout").rate = dropout
        model = keras_csg.build(backbone, 4, freeze="all", gated=False)
        model.compile(keras.optimizers.SGD(0.0))
        images, labels = tiny_data()
        history = model.fit(images, labels, verbose=0, shuffle=False)
        losses.append(history.history["loss"])
    assert losses[0] == losses[1]


@pytest.mark.filterwarnings("ignore:The whole backbone rests")
@pytest.mark.parametrize("freeze, derived", [("all", 0), (None, 1)])
def test_nothing_is_derived_of_what_rests(freeze, derived):
    import tensorflow as tf

    model = keras_csg.build(tiny_backbone(), 4, freeze=freeze)
    model.compile("sgd")
    model.optimizer.build(model.trainable_variables)
    data = tuple(map(tf.constant, tiny_data()))
    step = tf.function(model.train_step).get_concrete_function(data)
    types = [op.type for op in step.graph.get_operations()]
    assert types.count("Conv2DBackpropFilter") == derived
