"""Notices when Keras or TensorFlow changes what is private to them."""

import ast

import keras
import numpy as np
import pytest

from keras_csg import private_api
from keras_csg.layers import FusedBatchNormalization
from keras_csg.optimizers import FusedSGD, fuse_updates
from tests.source_tree import modules, parse

tf = pytest.importorskip("tensorflow")


@pytest.mark.parametrize(
    "value, enabled",
    [
        ("", True),
        ("sgd", True),
        ("batch_normalization", False),
        ("sgd, batch_normalization", False),
        ("all", False),
    ],
)
def test_the_switch_names_what_is_plain(monkeypatch, value, enabled):
    monkeypatch.setenv(private_api.SWITCH, value)
    assert private_api.is_enabled("batch_normalization") is enabled


def test_xla_is_noticed_while_tracing():
    found = {}

    def look(name):
        found[name] = private_api.compiled_by_xla()
        return tf.constant(0)

    tf.function(lambda: look("plain"))()
    tf.function(lambda: look("xla"), jit_compile=True)()
    assert found == {"plain": False, "xla": True}
    from tensorflow.python.ops import control_flow_util

    assert hasattr(control_flow_util, "GraphOrParentsInXlaContext")


def test_layers_inside_composite_layers_are_found():
    inner = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.layers.TimeDistributed(inner)])
    assert inner in private_api.flat_layers(model)


def test_the_momentum_of_a_variable_is_found():
    first, second = keras.Variable([1.0]), keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build([first, second])
    assert private_api.momentum_of(optimizer, second).shape == (2,)
    assert hasattr(optimizer, "_get_variable_index")


def test_an_augmentation_layer_draws_from_the_generator_it_is_given():
    layer = keras.layers.RandomBrightness(0.5)
    assert hasattr(layer, "_get_seed_generator")
    generator = keras.random.SeedGenerator(5)
    private_api.draw_seeds_from(layer, generator)
    before = np.array(generator.state)
    layer(np.ones((1, 4, 4, 3), "float32"), training=True)
    assert (np.array(generator.state) != before).any()


def test_exclusions_from_weight_decay_add_up():
    kept, named, other = (
        keras.Variable([1.0], name=name) for name in ("kept", "bias", "other")
    )
    optimizer = keras.optimizers.SGD(0.1, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    private_api.exclude_from_weight_decay(optimizer, [kept])
    optimizer.build([kept, named, other])
    decayed = [private_api.decays(optimizer, v) for v in (kept, named, other)]
    assert decayed == [False, False, True]


def test_determinism_is_switched_on_and_off():
    assert not private_api.op_determinism()
    tf.config.experimental.enable_op_determinism()
    assert private_api.op_determinism()
    private_api.disable_op_determinism()
    assert not private_api.op_determinism()


def test_the_global_seed_is_read():
    tf.random.set_seed(7)
    assert private_api.global_seed() == 7


def test_the_libraries_random_streams_are_put_back():
    def draws():
        return float(tf.random.uniform(())), float(keras.random.uniform(()))

    keras.utils.set_random_seed(7)
    expected = [draws(), draws()]
    keras.utils.set_random_seed(7)
    given = [draws()]
    streams = private_api.random_streams()
    keras.utils.set_random_seed(8)
    draws()
    private_api.set_random_streams(streams)
    given.append(draws())
    assert given == expected


def test_every_switch_is_known():
    asked = {
        argument.value
        for path in modules("keras_csg").values()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) == "is_enabled"
        for argument in node.args
    }
    assert asked == set(private_api.SWITCHABLE)


@pytest.mark.parametrize("text", ["sdg", "sgd, sdg", "sdg,,all"])
def test_an_unknown_switch_is_named_once(monkeypatch, text):
    monkeypatch.setenv(private_api.SWITCH, text)
    private_api.switched_off.cache_clear()
    with pytest.warns(UserWarning, match="batch_norm.*: 'sdg'") as warned:
        private_api.is_enabled("sgd")
        private_api.is_enabled("batch_normalization")
    assert len(warned) == 1


def test_nothing_is_switched_off_by_an_empty_text(monkeypatch):
    monkeypatch.setenv(private_api.SWITCH, "")
    private_api.switched_off.cache_clear()
    assert private_api.is_enabled("sgd")


def calls_of(monkeypatch, name):
    """Counts the calls of one of TensorFlow's raw operations."""
    calls, real = [], getattr(tf.raw_ops, name)

    def counted(**kwargs):
        calls.append(name)
        return real(**kwargs)

    monkeypatch.setattr(tf.raw_ops, name, counted)
    return calls


@pytest.mark.parametrize("plain", [False, True])
def test_batch_normalization_is_kerass_own_where_switched_off(
    monkeypatch, plain
):
    calls = calls_of(monkeypatch, "FusedBatchNormV3")
    if plain:
        monkeypatch.setenv(private_api.SWITCH, "batch_normalization")
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3))
    given = FusedBatchNormalization()(images.astype("float32"), training=True)
    expected = keras.layers.BatchNormalization()(images, training=True)
    np.testing.assert_allclose(given, expected, atol=1e-5)
    assert bool(calls) is not plain


@pytest.mark.parametrize("plain", [False, True])
def test_sgd_is_kerass_own_where_switched_off(monkeypatch, plain):
    calls = calls_of(monkeypatch, "ResourceApplyKerasMomentum")
    if plain:
        monkeypatch.setenv(private_api.SWITCH, "sgd")
    variable = keras.Variable([1.0, 2.0])
    optimizer = fuse_updates(keras.optimizers.SGD(0.1, momentum=0.9))
    assert type(optimizer) is FusedSGD
    optimizer.build([variable])
    for _ in range(2):
        optimizer.apply([tf.constant([1.0, -1.0])], [variable])
    # -0.1, then -0.1 * 0.9 - 0.1 on top.
    np.testing.assert_allclose(variable, [0.71, 2.29], atol=1e-6)
    assert bool(calls) is not plain
