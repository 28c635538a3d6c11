"""What a SavedModel would do, read from its graph before it is loaded.

Loading one restores its variables and makes its functions, and calling it runs
them: whatever they say, file operations and Python functions too. So their
operations are compared with those that compute and do nothing else.
"""

import math
import pathlib
from typing import TYPE_CHECKING

from keras_csg.deployment.formats.described import refuse_operations
from keras_csg.deployment.formats.made_tensors import (
    MOST_NUMBERS,
    check_made,
)
from keras_csg.deployment.formats.saved_model_copy import (
    answering_functions,
    foreign_attributes,
)
from keras_csg.deployment.formats.saved_model_operations import (
    ALLOWED,
    OUTERMOST,
    SAVER,
)
from keras_csg.untrusted.limits import check_bytes

if TYPE_CHECKING:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

# What an exported classifier is made of; a table or a file of assets is not.
KINDS = {
    *("user_object", "variable", "function", "bare_concrete_function"),
    *("constant", "captured_tensor"),
}
NUMBERS = {1, 2, 3, 9}
"""float32, float64, int32 and int64, as the graph numbers them."""
OBJECTS = {"_generic_user_object", "trackable_list_wrapper", "signature_map"}


def check_graph(path: pathlib.Path, graph_file: str, size: int) -> "SavedModel":
    """Refuses a SavedModel that would do more than compute.

    Args:
        path: path of the folder.
        graph_file: str. Name of the file with the graph.
        size: int. Bytes of graph and variables.

    Returns:
        The graph that was checked: who reads the file again may read another.

    Raises:
        ValueError: naming the operations.
    """
    proto = _read(path, graph_file)
    (meta_graph,) = proto.meta_graphs
    library = meta_graph.graph_def.library.function
    foreign = _foreign_objects(meta_graph.object_graph_def)
    foreign |= {
        node.op
        for node in meta_graph.graph_def.node
        if node.op not in ALLOWED | OUTERMOST
    }
    foreign |= foreign_attributes(
        meta_graph.graph_def.library, meta_graph.graph_def.node
    )
    answering = answering_functions(meta_graph)
    for function in library:
        allowed = ALLOWED
        if function.signature.name not in answering:
            allowed = ALLOWED | SAVER  # It is not loaded.
        ops = {node.op for node in function.node_def}
        foreign |= ops - allowed
    refuse_operations(path, foreign)
    try:
        check_made(_operations(library))
        check_bytes("it", _declared_bytes(meta_graph, library), size)
    except ValueError as error:
        raise ValueError(f"{path} was not opened: {error}.") from error
    return proto


def _read(path, graph_file):
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        content = (path / graph_file).read_bytes()
        proto = saved_model_pb2.SavedModel.FromString(content)
        (meta_graph,) = proto.meta_graphs
        if not meta_graph.HasField("object_graph_def"):
            raise ValueError("it is of TensorFlow 1")
    except Exception as error:  # Protobuf's own, of no public module.
        raise ValueError(
            f"TensorFlow cannot load {path}: {graph_file} is damaged, or none "
            "that keras_csg wrote."
        ) from error
    return proto


def _foreign_objects(objects) -> set[str]:
    """Returns the kinds of objects that are none of an exported classifier."""
    found = set()
    for node in objects.nodes:
        kind = node.WhichOneof("kind")
        if kind is not None and kind not in KINDS:
            found.add(f"an object of the kind {kind}")
        if kind == "user_object" and node.user_object.identifier not in OBJECTS:
            found.add(f"the object {node.user_object.identifier}")
        if node.registered_name or node.registered_saver:
            found.add(f"the object {node.registered_name or 'with a saver'}")
    return found


def _declared_bytes(meta_graph, library) -> int:
    """Returns what all variables and constants say they take.

    A constant may say that it has billions of numbers that are all the same.
    """
    total = 0
    for node in meta_graph.object_graph_def.nodes:
        if node.WhichOneof("kind") == "variable":
            total += _size(node.variable.dtype, node.variable.shape)
    graphs = [meta_graph.graph_def.node, *(f.node_def for f in library)]
    for node in (node for nodes in graphs for node in nodes):
        if node.op == "Const":
            value = node.attr["value"].tensor
            total += _size(value.dtype, value.tensor_shape)
    return total


def _operations(library):
    """Yields the kind of each operation and the constants it is given."""
    import tensorflow as tf

    for function in library:
        constants = {}
        for node in function.node_def:
            if node.op != "Const":
                continue
            value = node.attr["value"].tensor
            sides = [side.size for side in value.tensor_shape.dim]
            few = 0 <= math.prod(sides) <= MOST_NUMBERS
            if few and value.dtype in NUMBERS:
                array = tf.make_ndarray(value)
                constants[node.name] = array.ravel().tolist()
        for node in function.node_def:
            names = (name.partition(":")[0] for name in node.input)
            yield node.op, [*map(constants.get, names)]


def _size(dtype, shape):
    import tensorflow as tf

    try:
        width = tf.dtypes.as_dtype(dtype).size
    except TypeError:
        width = 8
    sides = (side.size for side in shape.dim)
    return (width or 1) * math.prod(max(side, 0) for side in sides)
