"""Reads the operations of a LiteRT model: what it computes, and in which type.

The flatbuffer's schema comes with the runtime, so nothing has to be loaded or
run for it.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from keras_csg.deployment.formats.made_tensors import MOST_NUMBERS, Constants


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A value in a LiteRT graph.

    Attributes:
        name: str.
        dtype: str, such as `"float32"` or `"int8"`.
        rank: int. Number of axes.
        constant: bool. Whether it is stored in the file.
    """

    name: str
    dtype: str
    rank: int
    constant: bool


@dataclasses.dataclass(frozen=True)
class Operation:
    """A step of a LiteRT graph.

    Attributes:
        kind: str. Name of the builtin such as `"CONV_2D"`, or a custom
            operation's own, such as `"FlexErf"`.
        custom: bool. Whether the runtime lacks it.
        inputs: tuple of `Tensor`; optional ones that are left out are missing.
        outputs: tuple of `Tensor`.
    """

    kind: str
    custom: bool
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def integer(self) -> bool:
        """Whether it computes in 8-bit integers.

        To unpack weights that are stored in 8 bits is not to compute in them.
        """
        values = self.outputs
        if self.kind == "DEQUANTIZE":
            values = tuple(x for x in self.inputs if not x.constant)
        return any(tensor.dtype == "int8" for tensor in values)


def read_operations(content: bytes) -> list[Operation]:
    """Returns the operations of a model in the order they run in.

    Args:
        content: bytes of a LiteRT model.

    Returns:
        list of `Operation`.
    """
    from ai_edge_litert import schema_py_generated as schema

    kinds = _names(schema.BuiltinOperator)
    dtypes = _names(schema.TensorType)
    model = schema.ModelT.InitFromPackedBuf(content)
    (graph,) = model.subgraphs
    tensors = [
        Tensor(
            tensor.name.decode(),
            dtypes[tensor.type].lower(),
            0 if tensor.shape is None else len(tensor.shape),
            model.buffers[tensor.buffer].data is not None,
        )
        for tensor in graph.tensors
    ]
    codes = [_kind(code, kinds) for code in model.operatorCodes]
    return [
        Operation(
            kind,
            custom,
            tuple(tensors[i] for i in operation.inputs if i >= 0),
            tuple(tensors[i] for i in operation.outputs),
        )
        for operation in graph.operators
        for kind, custom in [codes[operation.opcodeIndex]]
    ]


def custom_operations(content: bytes) -> set[str]:
    """Returns the names of a model's operations that are not LiteRT's own.

    Of whatever part of the model: each operation is one of this list.

    Args:
        content: bytes of a LiteRT model.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    codes = map(model.OperatorCodes, range(model.OperatorCodesLength()))
    names = (code.CustomCode() for code in codes)
    return {name.decode(errors="replace") for name in names if name is not None}


def operations_of(content: bytes) -> Iterator[tuple[str, Constants]]:
    """Yields the kind of each operation of a model, and its constants.

    Args:
        content: bytes of a LiteRT model.
    """
    from ai_edge_litert import schema_py_generated as schema

    kinds = _names(schema.BuiltinOperator)
    model = schema.Model.GetRootAs(content)
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    types = {
        schema.TensorType.INT32: "<i4",
        schema.TensorType.INT64: "<i8",
        schema.TensorType.FLOAT32: "<f4",
    }

    def constant(graph, place):
        tensor = graph.Tensors(place) if place >= 0 else None
        dtype = None if tensor is None else types.get(tensor.Type())
        buffer = dtype and model.Buffers(tensor.Buffer())
        length = buffer.DataLength() if buffer else 0
        size = np.dtype(dtype).itemsize if dtype else 1
        if not 0 < length <= MOST_NUMBERS * size or length % size:
            return None
        return buffer.DataAsNumpy().view(dtype).tolist()

    for graph in map(model.Subgraphs, range(model.SubgraphsLength())):
        for operation in map(graph.Operators, range(graph.OperatorsLength())):
            code = codes[operation.OpcodeIndex()]
            kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            places = range(operation.InputsLength())
            yield (
                kinds.get(kind, ""),
                [constant(graph, operation.Inputs(i)) for i in places],
            )


def _kind(code, kinds):
    """Returns an operation's name and whether it is a custom one."""
    if code.customCode is not None:
        return code.customCode.decode(), True
    # The older field is a byte, and holds what fits into it.
    return kinds[max(code.builtinCode, code.deprecatedBuiltinCode)], False


def _names(enumeration):
    return {
        number: name
        for name, number in vars(enumeration).items()
        if isinstance(number, int)
    }
