"""Tells the parts of an exported ONNX graph: the backbone, and what is around.

Narrow numbers are for the backbone, where nearly all of the work and of the
size is. Before it the pixels are normalised, after it come probabilities, sums
and a division by a maximum, which are tiny and would lose by it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
"""What most of the work is in, and nearly all weights are of."""
MEANS = ("GlobalAveragePool", "ReduceMean")


def backbone_nodes(graph: "onnx.GraphProto") -> list["onnx.NodeProto"]:
    """Returns the nodes from the first convolutions to the feature maps.

    Args:
        graph: `onnx.GraphProto` of an exported model, its nodes in the order
            they run in.

    Returns:
        list of nodes of the graph, in that order.
    """
    nodes = list(graph.node)
    reached: set[str] = set()
    backbone = []
    for node in _before(nodes, _pooling(nodes).input[0]):
        if node.op_type in PRODUCTS or reached.intersection(node.input):
            reached.update(node.output)
            backbone.append(node)
    return backbone


def name_nodes(graph: "onnx.GraphProto") -> None:
    """Gives each node a name of its own, for tools that find nodes by it."""
    taken = set()
    for number, node in enumerate(graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{number}"
        taken.add(node.name)


def _pooling(nodes):
    """Returns the node that averages the feature maps.

    No mean over two axes follows it, as of rows and columns.
    """
    return [node for node in nodes if _averages_maps(node)][-1]


def _averages_maps(node):
    if node.op_type not in MEANS:
        return False
    axes = [len(a.ints) for a in node.attribute if a.name == "axes"]
    return not axes or axes[0] > 1


def _before(nodes, name):
    """Returns the nodes that a value depends on."""
    wanted, found = {name}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            found.append(node)
    return found[::-1]
