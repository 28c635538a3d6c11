"""Operations of TensorFlow that the converter to ONNX has no form of.

Each is written in operations that ONNX has. A handler takes the converter's
graph, its node, the node's name and arguments of which there are none here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def complementary_error_function(
    graph: Any, node: Any, name: str, args: Any
) -> None:
    """Writes `erfc(x)` as `1 - erf(x)`: Keras's exact GELU asks for it."""
    one = _constant(graph, node, np.ones(()))
    error_function = graph.make_node("Erf", node.input).output[0]
    _replace(graph, node, "Sub", [one, error_function])


def exponential_less_one(graph: Any, node: Any, name: str, args: Any) -> None:
    """Writes `expm1(x)` as `exp(x) - 1`, which Keras's CELU asks for."""
    one = _constant(graph, node, np.ones(()))
    exponential = graph.make_node("Exp", node.input).output[0]
    _replace(graph, node, "Sub", [exponential, one])


def logarithm_of_one_more(graph: Any, node: Any, name: str, args: Any) -> None:
    """Writes `log1p(x)` as `log(1 + x)`."""
    one = _constant(graph, node, np.ones(()))
    more = graph.make_node("Add", [*node.input, one]).output[0]
    _replace(graph, node, "Log", [more])


def bucket_numbers(graph: Any, node: Any, name: str, args: Any) -> None:
    """Writes the number of a value's bucket as how many boundaries it is at.

    `keras.layers.Discretization` asks for it.
    """
    boundaries = np.asarray(node.get_attr("boundaries").floats, "float32")
    axes = graph.make_const(_unique("axes"), np.array([-1], "int64"))
    (values,) = node.input
    values = graph.make_node("Cast", [values], {"to": FLOAT}).output[0]
    column = graph.make_node("Unsqueeze", [values, axes.output[0]]).output[0]
    limits = graph.make_const(_unique("boundaries"), boundaries).output[0]
    at = graph.make_node("GreaterOrEqual", [column, limits]).output[0]
    numbers = graph.make_node("Cast", [at], {"to": INT32}).output[0]
    _replace(
        graph,
        node,
        "ReduceSum",
        [numbers, axes.output[0]],
        {"keepdims": 0},
    )


FLOAT, INT32 = 1, 6
"""Numbers of types in ONNX."""
Handler = Callable[[Any, Any, str, Any], None]
HANDLERS: dict[str, tuple[Handler, list]] = {
    "Erfc": (complementary_error_function, []),
    "Expm1": (exponential_less_one, []),
    "Log1p": (logarithm_of_one_more, []),
    "Bucketize": (bucket_numbers, []),
}
"""By the names of TensorFlow's operations, as `tf2onnx` takes them."""


def _constant(graph, node, value):
    """Returns the name of a constant of the dtype that a node gives."""
    from tf2onnx import utils

    dtype = utils.map_onnx_to_numpy_type(graph.get_dtype(node.output[0]))
    return graph.make_const(_unique("value"), value.astype(dtype)).output[0]


def _unique(word):
    from tf2onnx import utils

    return utils.make_name(f"keras_csg_{word}")


def _replace(graph, node, kind, inputs, attributes=None):
    """Puts another operation in the place of a node."""
    shapes, dtypes = node.output_shapes, node.output_dtypes
    graph.remove_node(node.name)
    graph.make_node(
        kind,
        inputs,
        attr=attributes,
        outputs=node.output,
        name=node.name,
        shapes=shapes,
        dtypes=dtypes,
    )
