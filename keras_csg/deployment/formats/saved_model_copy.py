"""What of a SavedModel TensorFlow is given to load: the part that answers.

A copy of its graph, made of what was checked: without the functions that save
and restore, which loading does not need, without nodes outside functions, and
without what asks TensorFlow's optimizer to swap or rewrite functions.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

FUNCTION_ATTRIBUTES = frozenset(
    ("_XlaMustCompile", "_construction_context", "_input_shapes", "_noinline")
)
"""What TensorFlow writes of a function. Others let its optimizer swap it."""
NODE_ATTRIBUTES = frozenset(
    (
        *("_XlaMustCompile", "_class", "_collective_manager_ids"),
        *("_gradient_op_type", "_has_manual_control_dependencies"),
        *("_lower_using_switch_merge", "_num_original_outputs"),
        *("_output_shapes", "_propagate_shape"),
        *("_read_only_resource_inputs", "_stateful_parallelism"),
        "_user_specified_name",
    )
)
"""What it writes of a node beside the operation's own attributes."""
SETTINGS = ("config", "config_proto", "executor_type")
"""Attributes of a call: how TensorFlow is to rewrite and run the function."""
GRADIENT = "_gradient_op_type"
MOST_DEPTH = 100
FINGERPRINT_FILE = "fingerprint.pb"
"""Its name for a log. Damaged, TensorFlow prints a traceback and goes on."""


def foreign_attributes(library: Any, nodes: Iterable[Any]) -> set[str]:
    """Returns what functions and nodes have that no export writes.

    Args:
        library: a graph's `FunctionDefLibrary`.
        nodes: the graph's nodes outside functions.
    """
    found = {f"a gradient of {one.function_name}" for one in library.gradient}
    for function in library.function:
        found |= set(function.attr) - FUNCTION_ATTRIBUTES
        for argument in function.arg_attr.values():
            found |= _hidden(argument.attr)
        for node in function.node_def:
            found |= _hidden(node.attr)
    for node in nodes:
        found |= _hidden(node.attr)
    return found


def answering_functions(meta_graph: Any) -> set[str]:
    """Returns the functions that objects have, and all that these call."""
    called = {
        function.signature.name: set(_called(function))
        for function in meta_graph.graph_def.library.function
    }
    objects = meta_graph.object_graph_def
    waiting = list(objects.concrete_functions)
    for node in objects.nodes:
        waiting.append(node.bare_concrete_function.concrete_function_name)
        waiting.extend(node.function.concrete_functions)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in called and name not in found:
            found.add(name)
            waiting.extend(called[name])
    return found


def answering_part(proto: "SavedModel") -> "SavedModel":
    """Returns a copy of a SavedModel's graph with what answers alone."""
    from tensorflow.core.protobuf import config_pb2, saved_model_pb2

    plain = config_pb2.ConfigProto(allow_soft_placement=True)
    copy = saved_model_pb2.SavedModel()
    copy.CopyFrom(proto)
    (meta_graph,) = copy.meta_graphs
    kept = answering_functions(meta_graph)
    graph = meta_graph.graph_def
    functions = [f for f in graph.library.function if f.signature.name in kept]
    # Objects that are constants have their values in nodes.
    constants = [node for node in graph.node if node.op == "Const"]
    for function in functions:
        for node in function.node_def:
            node.attr.pop(GRADIENT, None)
            for name in SETTINGS:
                if name in node.attr:
                    node.attr[name].s = b""
            if "config_proto" in node.attr:
                node.attr["config_proto"].s = plain.SerializeToString()
    graph.ClearField("node")
    graph.ClearField("library")
    graph.node.extend(constants)
    graph.library.function.extend(functions)
    for name in ("saver_def", "collection_def", "signature_def"):
        meta_graph.ClearField(name)
    return copy


@contextlib.contextmanager
def to_load(
    path: pathlib.Path, graph_file: str, proto: "SavedModel | None" = None
) -> Iterator[str]:
    """Gives the path of a folder to load in place of a SavedModel.

    Args:
        path: path of the SavedModel.
        graph_file: str. Name of the file with the graph.
        proto: what that file is to hold; `None` for all that is there.
    """
    with tempfile.TemporaryDirectory(prefix="keras_csg-") as name:
        folder = pathlib.Path(name)
        names = {"variables"}
        if proto is None:
            names = {one.name for one in path.iterdir()} - {FINGERPRINT_FILE}
        else:
            (folder / graph_file).write_bytes(proto.SerializeToString())
        for one in sorted(names):
            if (path / one).exists():
                _link_or_copy((path / one).absolute(), folder / one)
        yield os.fspath(folder)


def _link_or_copy(source, target):
    try:
        target.symlink_to(source, source.is_dir())
    except OSError:  # Windows asks for a right that users seldom have.
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)


def _hidden(attributes):
    """Returns attributes that are no operation's own, and not TensorFlow's."""
    names = {name for name in attributes if name.startswith("_")}
    for attribute in attributes.values():
        names |= {
            name
            for function in _values(attribute)
            for name in function.attr
            if not name[:1].isupper()  # Types, as `T`.
        }
    return names - NODE_ATTRIBUTES


def _called(function) -> Iterator[str]:
    """Yields the names of the functions that a function calls or hands on."""
    for node in function.node_def:
        yield node.op  # A function may be called by its name.
        for attribute in node.attr.values():
            for one in _values(attribute):
                yield one.name


def _values(attribute, depth=0):
    """Yields the functions in an attribute, and in those functions' own."""
    kind = attribute.WhichOneof("value")
    functions = [attribute.func] if kind == "func" else []
    if kind == "list":
        functions = list(attribute.list.func)
    for function in functions:
        yield function
        for inner in function.attr.values() if depth < MOST_DEPTH else ():
            yield from _values(inner, depth + 1)
