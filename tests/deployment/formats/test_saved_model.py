import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import keras_csg
from keras_csg.deployment.formats.saved_model import SavedModelFormat
from keras_csg.deployment.graph.outputs import OUTPUTS
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    some_images,
    write_as,
)


def write(model, path, **kwargs):
    return write_as(SavedModelFormat(), model, path, **kwargs)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    return write(model, tmp_path_factory.mktemp("saved") / "model")


@pytest.mark.parametrize("samples", [1, 5])
def test_both_signatures_answer_in_plain_tensorflow(model, path, samples):
    signatures = tf.saved_model.load(path).signatures
    images = some_images(samples)
    expected = answers_by_hand(model, images)
    given = signatures["explain"](images=tf.constant(images))
    assert_same_answers(given, expected)
    given = signatures["serving_default"](images=tf.constant(images))
    rest = {"heatmap", "filter_contributions", "evidence"}
    assert set(given) == set(OUTPUTS) - rest
    assert_same_answers(given, {name: expected[name] for name in given})


def test_the_default_signature_skips_what_it_does_not_answer(path):
    serving = tf.saved_model.load(path).signatures["serving_default"]
    graph = serving.graph.as_graph_def(add_shapes=True)
    nodes = [
        node
        for function in graph.library.function
        for node in function.node_def
    ] + list(graph.node)
    assert [node.op for node in nodes].count("Conv2D") == 1
    assert not [node.name for node in nodes if "heatmap" in node.name]


def test_outputs_that_only_explain_are_served_too(model, tmp_path):
    path = write(model, tmp_path / "heatmap", outputs=["heatmap"])
    signatures = tf.saved_model.load(path).signatures
    for name in ("serving_default", "explain"):
        assert list(signatures[name].structured_outputs) == ["heatmap"]


def test_bytes_go_in(model, tmp_path):
    path = write(model, tmp_path / "bytes", input_dtype="uint8")
    images = some_images(dtype="uint8")
    assert_same_answers(
        keras_csg.open_exported(path).answer(images),
        answers_by_hand(model, images),
    )


def test_metadata_lie_beside_the_graph(model, path):
    extra = path / "assets.extra"
    assert (extra / "labels.txt").read_text() == "a\nb\nc\nd\n"
    described = json.loads((extra / "keras_csg.json").read_text())
    assert described["format"] == "saved_model"
    np.testing.assert_array_equal(
        keras_csg.read_metadata(path).gate_matrix,
        np.array(model.gate.gate_matrix),
    )


def test_other_requests_are_refused(path):
    opened = keras_csg.open_exported(path)
    assert opened.runtime == f"tensorflow {tf.__version__}"
    with pytest.raises(ValueError, match="must have shape"):
        opened.answer(some_images(size=9))
    with pytest.raises(ValueError, match="must be float32"):
        opened.answer(some_images(dtype="uint8"))


@pytest.mark.parametrize(
    "part, message",
    [
        ("saved_model.pb", "no saved_model.pb"),
        ("assets.extra/keras_csg.json", "keras_csg exported"),
        ("variables/variables.index", "damaged"),
    ],
)
def test_a_folder_that_lacks_a_part_is_refused(path, tmp_path, part, message):
    damaged = tmp_path / "damaged"
    shutil.copytree(path, damaged)
    (damaged / part).unlink()
    with pytest.raises(ValueError, match=message):
        keras_csg.open_exported(damaged)


def test_a_truncated_graph_is_refused(path, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(path, damaged)
    whole = (damaged / "saved_model.pb").read_bytes()
    (damaged / "saved_model.pb").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is damaged"):
        keras_csg.open_exported(damaged)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no SavedModel"):
        keras_csg.read_metadata(tmp_path)


def test_writing_prints_nothing(model, tmp_path, capfd):
    write(model, tmp_path / "model")
    assert capfd.readouterr() == ("", "")
