"""What TensorFlow is given of a SavedModel: what answers, and nothing else."""

import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_csg
from keras_csg.deployment.formats import saved_model, saved_model_copy
from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.formats.saved_model_copy import (
    answering_part,
    foreign_attributes,
    to_load,
)
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    some_images,
    write_as,
)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    return write_as(get_format("saved_model"), model, folder / "model")


def graph_of(path):
    content = (path / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content)


def operations(graph):
    nodes = [*graph.graph_def.node]
    for function in graph.graph_def.library.function:
        nodes += function.node_def
    return {node.op for node in nodes}


def test_what_saves_and_restores_is_not_loaded(path):
    whole, part = graph_of(path), answering_part(graph_of(path))
    assert {"SaveV2", "RestoreV2"} <= operations(whole.meta_graphs[0])
    left = operations(part.meta_graphs[0])
    assert "Conv2D" in left
    files = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "AssignVariableOp"}
    assert not left & files


def test_the_part_answers_as_the_whole(model, path):
    opened = keras_csg.open_exported(path)
    images = some_images(3)
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))


def test_calls_say_nothing_about_how_they_are_run(path):
    proto = graph_of(path)
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "StatefulPartitionedCall":
                node.attr["config_proto"].s = b"strange"
                node.attr["executor_type"].s = b"strange"
    assert b"strange" not in answering_part(proto).SerializeToString()


def test_where_links_are_not_allowed_files_are_copied(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("a right is missing")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    part = answering_part(graph_of(path))
    with to_load(path, "saved_model.pb", part) as folder:
        assert sorted(os.listdir(folder)) == ["saved_model.pb", "variables"]
        assert tf.saved_model.load(folder).signatures
    assert not os.path.exists(folder)


@pytest.mark.parametrize("trust", [False, True])
def test_a_damaged_fingerprint_is_passed_over(
    trust, model, path, tmp_path, capfd
):
    cut = tmp_path / "cut"
    shutil.copytree(path, cut)
    (cut / "fingerprint.pb").write_bytes(b"\xff\xff\xff")
    opened = keras_csg.open_exported(cut, trust=trust)
    images = some_images(2)
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))
    assert "Traceback" not in capfd.readouterr().err


def test_what_was_checked_is_what_is_loaded(path, tmp_path, monkeypatch):
    """Whoever changes the file in between changes nothing."""
    other = tmp_path / "other"
    shutil.copytree(path, other)

    def change_afterwards(proto):
        (other / "saved_model.pb").write_bytes(b"damaged")
        return saved_model_copy.answering_part(proto)

    monkeypatch.setattr(saved_model, "answering_part", change_afterwards)
    answers = keras_csg.open_exported(other).answer(some_images(1))
    assert np.isfinite(answers["probabilities"]).all()


@pytest.mark.slow
def test_networks_of_keras_have_nothing_foreign(tmp_path):
    """Their gradients are known to the file, and not needed to answer."""
    images = inputs = keras.Input((8, 8, 3))
    for activation in ("silu", "gelu", "relu6", "mish", "hard_swish"):
        x = keras.layers.SeparableConv2D(4, 3, padding="same")(inputs)
        inputs = keras.layers.Activation(activation)(x)
    x = keras.layers.Reshape((-1, 4))(inputs)
    x = keras.layers.MultiHeadAttention(2, 2)(x, x)
    network = keras.Model(images, keras.layers.GRU(3)(x))
    folder = tmp_path / "network"
    network.export(folder, verbose=False)
    whole = graph_of(folder)
    graph = whole.meta_graphs[0].graph_def
    assert not foreign_attributes(graph.library, graph.node)
    given = some_images(2)
    with to_load(folder, "saved_model.pb", answering_part(whole)) as part:
        loaded = tf.saved_model.load(part)
    np.testing.assert_allclose(
        loaded.serve(given), network(given), atol=1e-5, rtol=1e-5
    )
