"""Narrows the numbers of an ONNX graph.

As in a LiteRT file, `keras_csg.deployment.formats.quantization`, what lies
around the backbone stays float32. ONNX Runtime quantises for two sorts of
processors that the same file has to serve:

- Those that multiply unsigned by signed bytes into 32 bits (AVX-512 VNNI, AVX
  VNNI, ARM) take activations of unsigned and weights of signed bytes. Twice as
  fast as float32; with signed activations it would be no faster.
- Older x86 processors sum such products in 16 bits, and may overflow. Weights
  of seven bits cannot, but every processor's answers pay for it (an
  EfficientNetLite on photographs: a gap of the probabilities of 0.002, not
  0.0008). So ONNX Runtime is asked to be exact there, when it opens the file.
  OpenVINO has no such setting: its folder has weights of seven bits.

Smallest and largest value of the calibration images bound an activation; the
99.999th percentile and the least divergence are no better, and hold all
activations of all images in memory.

Only the weights of 8 bits, `"dynamic"`, is left out: ONNX Runtime then takes
1.3 to 9 times as long as in float32, and depthwise convolutions lose most.
"""

import pathlib
import tempfile
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from keras_csg.deployment.formats.onnx_parts import (
    PRODUCTS,
    backbone_nodes,
    name_nodes,
)
from keras_csg.quiet import quietly

if TYPE_CHECKING:
    import onnx

BATCH_SIZE = 32
LEAST_NUMBERS = 64
"""Below, the operation that widens numbers takes more room than is saved."""

# Take part where all they are given is in 8 bits already: what follows a mean
# or a root, as in a layer normalisation, would lose too much.
FOLLOWERS = frozenset(
    (
        *("Add", "Mul", "Concat", "Split", "Slice", "Pad", "Resize"),
        *("Relu", "LeakyRelu", "Clip", "Sigmoid"),
        *("MaxPool", "AveragePool", "GlobalAveragePool"),
        *("Transpose", "Reshape", "Squeeze", "Unsqueeze"),
    )
)


def store_halves(graph: "onnx.GraphProto") -> None:
    """Stores the weights in half precision; what is computed stays float32.

    A runtime widens them once, when it opens the file. So the answers are the
    same on every device, none can overflow, and none takes longer; a runtime
    that computes in half precision may still choose to.

    Args:
        graph: `onnx.GraphProto`, changed in place.
    """
    import onnx
    from onnx import numpy_helper

    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if not _worth_halving(values):
            continue
        name = tensor.name
        tensor.CopyFrom(
            numpy_helper.from_array(values.astype("float16"), f"{name}_half")
        )
        casts.append(
            onnx.helper.make_node(
                "Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT
            )
        )
    nodes = [*casts, *graph.node]
    kept = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def _worth_halving(values):
    """Whether a constant is a kernel or a table, within half precision."""
    return (
        values.dtype == np.float32
        and values.ndim >= 2
        and values.size >= LEAST_NUMBERS
        and np.abs(values).max() <= np.finfo("float16").max
    )


def to_int8(
    proto: "onnx.ModelProto", calibration: np.ndarray, weight_bits: int = 8
) -> "onnx.ModelProto":
    """Returns a model whose backbone computes in 8 bits.

    Args:
        proto: `onnx.ModelProto` of an exported model. Its nodes get names.
        calibration: array of shape `(samples, height, width, 3)`, of the dtype
            the model takes.
        weight_bits: 8, or 7: then two products with bytes fit into 16 bits.
    """
    import onnx

    name_nodes(proto.graph)
    nodes = [node.name for node in integer_nodes(proto.graph)]
    with quietly(), tempfile.TemporaryDirectory() as folder:
        from onnxruntime import quantization

        path = pathlib.Path(folder) / "model.onnx"
        quantization.quantize_static(
            proto,
            path,
            _Reader(calibration),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            reduce_range=weight_bits == 7,
            nodes_to_quantize=nodes,
        )
        return onnx.load(path)


def integer_nodes(graph: "onnx.GraphProto") -> list["onnx.NodeProto"]:
    """Returns the nodes of the backbone that are to compute in 8 bits."""
    constants = {tensor.name for tensor in graph.initializer}
    made: set[str] = set()
    chosen = []
    for node in backbone_nodes(graph):
        given = [i for i in node.input if i and i not in constants]
        if node.op_type in PRODUCTS or _follows(node, given, made):
            made.update(node.output)
            chosen.append(node)
    return chosen


def _follows(node, given: Collection[str], made: set[str]) -> bool:
    return node.op_type in FOLLOWERS and bool(given) and made.issuperset(given)


class _Reader:
    """Hands out calibration images in batches, and none at the end."""

    def __init__(self, images: np.ndarray):
        self._batches: Iterator[np.ndarray] = (
            images[start : start + BATCH_SIZE]
            for start in range(0, len(images), BATCH_SIZE)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}
