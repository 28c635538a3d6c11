"""A graph is looked at before it is run: what does more than compute is not."""

import dataclasses
import os
import shutil

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import keras_csg
from keras_csg.deployment.formats.registry import get_format
from keras_csg.deployment.formats.saved_model_operations import ALLOWED
from keras_csg.untrusted.limits import VARIABLE
from tests.deployment.trained import (
    answers_by_hand,
    assert_same_answers,
    some_images,
    write_as,
)

DESCRIPTION = "assets.extra/keras_csg.json"


def save_with(path, model, side_effect):
    """Writes the classifier's answers, and something else in the graph."""
    write_as(get_format("saved_model"), model, path)
    unseal(path)  # Whoever writes such a file leaves out what tells of it.
    description = (path / DESCRIPTION).read_text()
    answering = tf.saved_model.load(path)
    shape = [tf.TensorSpec((None, 8, 8, 3), name="images")]

    class Strange(tf.Module):
        def __init__(self):
            super().__init__()
            self.answering = answering

        @tf.function(input_signature=shape)
        def explain(self, images):
            side_effect(images)
            return self.answering.signatures["explain"](images=images)

    strange = Strange()
    shutil.rmtree(path)
    tf.saved_model.save(
        strange, os.fspath(path), signatures={"explain": strange.explain}
    )
    (path / DESCRIPTION).parent.mkdir()
    (path / DESCRIPTION).write_text(description)


def unseal(path):
    """Leaves out the digests."""
    plain = dataclasses.replace(keras_csg.read_metadata(path), digest=None)
    (path / DESCRIPTION).write_text(plain.to_json())


def graph_that_writes(target):
    def write(images):
        tf.io.write_file(os.fspath(target), tf.constant("written"))

    return write


def test_a_graph_that_writes_a_file_is_not_run(model, tmp_path):
    target, path = tmp_path / "written.txt", tmp_path / "strange"
    save_with(path, model, graph_that_writes(target))
    with pytest.raises(ValueError, match="was not opened: it has WriteFile"):
        keras_csg.open_exported(path)
    assert not target.exists()
    keras_csg.read_metadata(path)  # It runs nothing.
    opened = keras_csg.open_exported(path, trust=True)
    images = some_images(2)
    assert_same_answers(opened.answer(images), answers_by_hand(model, images))
    assert target.read_text() == "written"


@pytest.mark.parametrize(
    "name, effect",
    [
        ("ReadFile", lambda x: tf.io.read_file("/etc/hostname")),
        ("PrintV2", lambda x: tf.print(x)),
        ("EagerPyFunc", lambda x: tf.py_function(lambda: 1.0, [], tf.float32)),
        ("MatchingFiles", lambda x: tf.io.matching_files("/*")),
        ("RandomStandardNormal", lambda x: tf.random.normal((2,))),
    ],
)
def test_others_are_named(name, effect, model, tmp_path):
    save_with(tmp_path / "strange", model, effect)
    with pytest.raises(ValueError, match=f"it has {name}.*--trust") as raised:
        keras_csg.open_exported(tmp_path / "strange")
    assert "\n" not in str(raised.value)


def change(path, how):
    """Changes the graph of a SavedModel."""
    file = path / "saved_model.pb"
    proto = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    how(proto.meta_graphs[0])
    file.write_bytes(proto.SerializeToString())


def add_asset(graph):
    graph.object_graph_def.nodes.add().asset.asset_file_def_index = 0


def saver_and_answer(graph):
    """Returns the function that writes variables, and one that answers."""
    library = graph.graph_def.library.function
    saver = next(f for f in library if "SaveV2" in {n.op for n in f.node_def})
    answer = next(f for f in library if "answer" in f.signature.name)
    return saver, answer


def call_the_saver(graph):
    """Lets the answer call the function that writes variables to a file."""
    saver, answer = saver_and_answer(graph)
    node = answer.node_def.add(name="more", op="StatefulPartitionedCall")
    node.attr["f"].func.name = saver.signature.name


def name_the_saver(graph):
    """Calls it as an operation, by its name."""
    saver, answer = saver_and_answer(graph)
    answer.node_def.add(name="more", op=saver.signature.name)


def keep_the_saver(graph):
    """Makes it a function of the object, which a caller may call."""
    saver, _ = saver_and_answer(graph)
    name = saver.signature.name
    graph.object_graph_def.concrete_functions[name].bound_inputs.extend([])


def swap_the_answer(graph):
    """Offers the optimizer a function that writes, in the answer's place."""
    library = graph.graph_def.library.function
    _, answer = saver_and_answer(graph)
    other = library.add()
    other.CopyFrom(answer)
    other.signature.name = "__inference__traced_more_1"
    for function, device in ((answer, b"GPU"), (other, b"CPU")):
        function.attr["api_implements"].s = b"answer"
        function.attr["api_preferred_device"].s = device
    other.node_def.add(name="more", op="SaveV2")
    node = graph.graph_def.node.add(name="m", op="StatefulPartitionedCall")
    node.attr["f"].func.name = other.signature.name


def name_a_forward_function(graph):
    _, answer = saver_and_answer(graph)
    answer.attr["forward_function_name"].s = b"other"


def name_a_kernel(graph):
    _, answer = saver_and_answer(graph)
    answer.node_def[0].attr["_kernel"].s = b"host"


def add_a_gradient(graph):
    saver, answer = saver_and_answer(graph)
    graph.graph_def.library.gradient.add(
        function_name=answer.signature.name,
        gradient_func=saver.signature.name,
    )


def name_a_class(graph):
    graph.object_graph_def.nodes[0].registered_name = "strange>Class"


def revive(graph):
    graph.object_graph_def.nodes[0].user_object.identifier = "_tf_keras_model"


def add_resource(graph):
    graph.object_graph_def.nodes.add().resource.device = ""


@pytest.mark.parametrize(
    "how, words",
    [
        (call_the_saver, "SaveV2"),
        (name_the_saver, "SaveV2|__inference"),
        (keep_the_saver, "SaveV2"),
        (swap_the_answer, "api_implements, api_preferred_device"),
        (name_a_forward_function, "forward_function_name"),
        (name_a_kernel, "_kernel"),
        (add_a_gradient, "a gradient of __inference"),
        (name_a_class, "the object strange>Class"),
        (revive, "the object _tf_keras_model"),
        (add_resource, "an object of the kind resource"),
        (add_asset, "an object of the kind asset"),
    ],
)
def test_roads_around_the_list_are_closed(how, words, model, tmp_path):
    path = write_as(get_format("saved_model"), model, tmp_path / "model")
    unseal(path)
    keras_csg.open_exported(path)
    change(path, how)
    with pytest.raises(ValueError, match=f"was not opened: .*{words}"):
        keras_csg.open_exported(path)


def test_a_constant_of_billions_is_not_made(model, tmp_path):
    """One number may stand for all of them."""
    path = write_as(get_format("saved_model"), model, tmp_path / "model")
    unseal(path)

    def add_constant(graph):
        node = graph.graph_def.library.function[0].node_def.add(op="Const")
        value = node.attr["value"].tensor
        value.dtype = 1
        value.float_val.append(0.0)
        value.tensor_shape.dim.add(size=10**10)

    change(path, add_constant)
    with pytest.raises(ValueError, match=f"it unpacks to 37.3 GiB.*{VARIABLE}"):
        keras_csg.open_exported(path)


def test_a_graph_of_tensorflow_1_is_refused(model, tmp_path):
    """Loading one would run what it calls its initialisation."""
    path = write_as(get_format("saved_model"), model, tmp_path / "model")
    unseal(path)
    change(path, lambda graph: graph.ClearField("object_graph_def"))
    with pytest.raises(ValueError, match="damaged, or none that keras_csg"):
        keras_csg.open_exported(path)


def test_nothing_that_touches_the_world_is_on_the_list():
    strange = ("File", "Write", "Read", "Save", "Restore", "Py", "Print")
    strange += ("Dataset", "Iterator", "Summary", "Table", "Queue", "Random")
    strange += ("Host", "Rpc", "Remote", "Send", "Recv", "Assert", "Debug")
    strange += ("Decode", "Encode", "Tpu", "TPU", "Xla", "Assign", "Timestamp")
    found = {op for op in ALLOWED if any(word in op for word in strange)}
    assert found == {"ReadVariableOp"}
    known = set(dir(tf.raw_ops))
    assert ALLOWED <= known
