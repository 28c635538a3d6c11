"""Tidies the graph of an ONNX file."""

import collections
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx


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
