"""Tidies the graph of an ONNX file."""

import collections
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

NUMBERED = re.compile(r"__\d+(:\d+)?$")
"""The end of a name that tf2onnx made up."""


def hold_constants(
    graph: "onnx.GraphProto", values: Mapping[str, np.ndarray]
) -> None:
    """Puts values into a file that it would else ask its caller for.

    Args:
        graph: `onnx.GraphProto`, changed in place.
        values: dict of arrays by the names of inputs of the graph.
    """
    from onnx import numpy_helper

    for value in [i for i in graph.input if i.name in values]:
        array = np.asarray(values[value.name])
        graph.initializer.append(numpy_helper.from_array(array, value.name))
        graph.input.remove(value)


def share_tables(graph: "onnx.GraphProto") -> None:
    """Keeps one table where a file has it twice, once transposed.

    A head multiplies by its table transposed, and tf2onnx writes that down
    beside the table whose rows are looked up. `Gemm` transposes by itself,
    and adds the bias too.

    Args:
        graph: `onnx.GraphProto`, changed in place.
    """
    tables = {t.name: t for t in graph.initializer if len(t.dims) == 2}
    uses = collections.Counter(
        [name for node in graph.node for name in node.input]
        + [value.name for value in graph.output]
    )
    for node in list(graph.node):
        if node.op_type != "MatMul" or node.input[1] not in tables:
            continue
        twin = _find_twin(tables, node.input[1])
        if twin and uses[node.input[1]] == 1:
            graph.initializer.remove(tables.pop(node.input[1]))
            _become_gemm(graph, node, twin, _find_addition(graph, node, uses))


def number_names(graph: "onnx.GraphProto") -> None:
    """Sorts nodes and constants, and numbers those that tf2onnx numbered.

    It takes things as they come out of sets, so that the same network would be
    other bytes, and have another digest, each time. The order is that in which
    the outputs, one after the other, need them.

    Args:
        graph: `onnx.GraphProto`, changed in place.
    """
    _sort(graph.node, _needed(graph), lambda node: node.output[0])
    names = {}
    kept = {value.name for value in graph.output}
    for place, node in enumerate(graph.node):
        node.name = NUMBERED.sub(rf"__{place}\1", node.name)
        for name in (n for n in node.output if n not in kept):
            names[name] = NUMBERED.sub(rf"__{place}\1", name)
    _rename(graph, names)
    for node in graph.node:
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in graph.value_info:
        value.name = names.get(value.name, value.name)
    _name_constants(graph)


def _needed(graph):
    """Returns the nodes that outputs need, what they take before them.

    As a dict whose keys are the first outputs of the nodes.
    """
    makers = {name: node for node in graph.node for name in node.output}
    done: dict[str, None] = {}
    stack = [value.name for value in reversed(graph.output)]
    while stack:
        node = makers.get(stack[-1])
        if node is None or node.output[0] in done:
            stack.pop()
            continue
        first = [
            name
            for name in _names_taken_by(node)
            if name in makers and makers[name].output[0] not in done
        ]
        if first:
            stack += reversed(first)
        else:
            done[node.output[0]] = None
    return done


def _sort(parts, wanted, name_of):
    """Brings parts of a graph, in place, into an order; the others go."""
    places = {name: place for place, name in enumerate(wanted)}
    parts.sort(key=lambda part: places.get(name_of(part), len(places)))
    del parts[len(places) :]


def _name_constants(graph):
    constants = {tensor.name for tensor in graph.initializer}
    used = dict.fromkeys(n for n in _names_taken(graph) if n in constants)
    kept = {value.name for value in (*graph.input, *graph.output)}
    names = {old: f"constant_{number}" for number, old in enumerate(used)}
    names = {old: new for old, new in names.items() if old not in kept}
    _rename(graph, names)
    _sort(graph.initializer, used, lambda tensor: tensor.name)
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)


def _names_taken(graph):
    """Yields what nodes take, also those within others, and outputs."""
    for node in graph.node:
        yield from _names_taken_by(node)
    yield from (value.name for value in graph.output)


def _names_taken_by(node):
    yield from node.input
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            yield from _names_taken(inner)


def _rename(graph, names):
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename(inner, names)


def _find_twin(tables, name):
    """Returns the name of the transposed table; `None` without one."""
    from onnx import numpy_helper

    transposed = numpy_helper.to_array(tables[name]).T
    for other, table in tables.items():
        if tuple(table.dims) == transposed.shape and other != name:
            if np.array_equal(numpy_helper.to_array(table), transposed):
                return other
    return None


def _find_addition(graph, node, uses):
    """Returns the addition of a vector that alone follows a product."""
    vectors = {t.name for t in graph.initializer if len(t.dims) == 1}
    for other in graph.node:
        if other.op_type == "Add" and node.output[0] in other.input:
            beside = set(other.input) - {node.output[0]}
            if beside <= vectors and uses[node.output[0]] == 1:
                return other
    return None


def _become_gemm(graph, node, table, addition):
    """Turns a product, and an addition that follows it, into one `Gemm`."""
    from onnx import helper

    inputs, outputs = [node.input[0], table], node.output
    if addition is not None:
        inputs += set(addition.input) - set(node.output)
        outputs = addition.output
        graph.node.remove(addition)
    node.CopyFrom(
        helper.make_node(
            "Gemm", inputs, list(outputs), name=node.name, transB=1
        )
    )
