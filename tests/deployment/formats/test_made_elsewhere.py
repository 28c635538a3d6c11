"""What constants ask for in a SavedModel, and in a LiteRT file."""

import json

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_csg
from keras_csg.deployment.formats import litert
from keras_csg.deployment.formats.litert_graph import operations_of
from keras_csg.deployment.formats.made_tensors import made_bytes
from keras_csg.deployment.formats.registry import get_format
from tests.deployment.trained import trained_classifier, write_as

SIDES = [30_000, 30_000, 3]


@pytest.mark.parametrize("kind, place", [("Fill", 0), ("BroadcastTo", 1)])
def test_a_savedmodel_does_not_fill_gigabytes(kind, place, tmp_path):
    path = write_as(
        get_format("saved_model"), trained_classifier(), tmp_path / "a"
    )
    description = path / "assets.extra/keras_csg.json"
    values = json.loads(description.read_text())
    del values["digest"]
    description.write_text(json.dumps(values))
    file = path / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    library = proto.meta_graphs[0].graph_def.library.function
    answer = next(f for f in library if "inference_answer" in f.signature.name)
    for name, value in (("sides", SIDES), ("one", 1.0)):
        node = answer.node_def.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
        node.attr["dtype"].type = node.attr["value"].tensor.dtype
    given = ["one:output:0"]
    given.insert(place, "sides:output:0")
    node = answer.node_def.add(name="big", op=kind, input=given)
    node.attr["T"].type = tf.float32.as_datatype_enum
    file.write_bytes(proto.SerializeToString())
    with pytest.raises(ValueError, match="not opened: it unpacks to 10.1 GiB"):
        keras_csg.open_exported(path)


def converted(make):
    """Returns a LiteRT model of a function of `(1, 1)` numbers."""
    spec = tf.TensorSpec((1, 1), "float32")
    concrete = tf.function(make, input_signature=[spec]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    return converter.convert()


def test_operands_of_litert_are_read():
    content = converted(lambda x: tf.tile(x, [30, 20]))
    found = [*operations_of(content)]
    assert ("TILE", [None, [30, 20]]) in found
    assert sum(made_bytes(*one) for one in found) == 4 * 30 * 20


def test_a_litert_file_does_not_make_gigabytes(tmp_path, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    path = write_as(
        get_format("litert"), trained_classifier(), tmp_path / "a.tflite"
    )
    assert keras_csg.open_exported(path)
    monkeypatch.setattr(
        litert, "operations_of", lambda content: [("FILL", [SIDES])]
    )
    with pytest.raises(ValueError, match="not opened: it unpacks to 10.1 GiB"):
        keras_csg.open_exported(path)
