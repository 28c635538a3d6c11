"""The constants that an ONNX file's operations are given, without `onnx`."""

import struct
from collections.abc import Iterator
from typing import Any

from keras_csg.deployment.formats.made_tensors import MOST_NUMBERS, Constants
from keras_csg.deployment.formats.onnx_properties import LENGTH, VARINT
from keras_csg.deployment.formats.onnx_scan import (
    MOST_DEPTH,
    OPERATION,
    WITHIN,
    fields,
)

# Fields of onnx.proto's NodeProto, TensorProto and AttributeProto.
INPUT, OUTPUT, ATTRIBUTE = 1, 2, 5
TYPE, FLOATS, INT32S, INT64S, NAME, RAW = 2, 4, 5, 7, 8, 9
KINDS = {1: "f", 6: "i", 7: "q", 11: "d"}
"""What raw numbers are, by the type of the tensor."""
GIVEN, SHORT_FLOAT, SHORT_INT, TENSOR, MANY_FLOATS, MANY_INTS = 1, 2, 3, 5, 7, 8
MOST_BYTES = 1024
"""Of the numbers of a tensor that may say a shape."""
SAYS_A_SHAPE = {
    **{"RandomNormal": ("shape", 0), "RandomUniform": ("shape", 0)},
    **{"Pad": ("pads", 1), "Upsample": ("scales", 1)},
}
"""Attributes, by operation, that stand for an operand and its place."""


def operations_of(data: memoryview) -> Iterator[tuple[str, Constants]]:
    """Yields the kind of each operation of a file, and its constants.

    Args:
        data: content of the file.
    """
    tensors: dict[bytes, list[float]] = {}
    nodes: list[tuple[str, list[bytes], dict[int, list[float]]]] = []
    _gather(data, "model", tensors, nodes, 0)
    for kind, names, own in nodes:
        most = max([len(names), *(place + 1 for place in own)])
        padded = names + [b""] * (most - len(names))
        yield (
            kind,
            [own.get(i, tensors.get(name)) for i, name in enumerate(padded)],
        )


def _gather(data, kind, tensors, nodes, depth):
    if depth > MOST_DEPTH:
        return
    within = WITHIN[kind]
    for field, wire, start, end in fields(data):
        if wire != LENGTH or field not in within:
            continue
        content, inner = data[start:end], within[field]
        if inner == "tensor":
            _keep(tensors, *_tensor(content))
            continue
        if inner == "node":
            nodes.append(_node(content, tensors))
        _gather(content, inner, tensors, nodes, depth + 1)


def _keep(tensors, name, values):
    """Keeps the larger one: in another graph a name is another's."""
    if values and len(values) <= MOST_NUMBERS:
        tensors[name] = max(tensors.get(name, values), values)


def _node(data, tensors):
    kind, inputs, outputs, attributes = "", [], [], {}
    for field, wire, start, end in fields(data):
        if wire == LENGTH and field == INPUT:
            inputs.append(bytes(data[start:end]))
        elif wire == LENGTH and field == OUTPUT:
            outputs.append(bytes(data[start:end]))
        elif wire == LENGTH and field == OPERATION:
            kind = bytes(data[start:end]).decode(errors="replace")
        elif wire == LENGTH and field == ATTRIBUTE:
            name, values = _attribute(data[start:end])
            attributes[name] = values
    if kind == "Constant" and outputs:
        for values in attributes.values():
            _keep(tensors, outputs[0], values)
    name, place = SAYS_A_SHAPE.get(kind, ("", 0))
    own = attributes.get(name)
    return kind, inputs, {place: own} if own else {}


def _attribute(data):
    name, values = "", []
    for field, wire, start, end in fields(data):
        content = data[start:end]
        if field == GIVEN and wire == LENGTH:
            name = bytes(content).decode(errors="replace")
        elif field == TENSOR and wire == LENGTH:
            values = _tensor(content)[1]
        elif end - start > MOST_BYTES or len(values) > MOST_NUMBERS:
            continue
        elif field in (SHORT_FLOAT, MANY_FLOATS):
            values += _numbers(content, "f")
        elif field in (SHORT_INT, MANY_INTS):
            values += _whole_numbers(content)
    return name, values


def _tensor(data):
    """Returns the name of a tensor and its numbers, in one list."""
    name, kind, values, raw = b"", 0, [], b""
    for field, wire, start, end in fields(data):
        content = data[start:end]
        if field == NAME and wire == LENGTH:
            name = bytes(content)
        elif field == TYPE and wire == VARINT:
            (kind,) = _whole_numbers(content)
        elif end - start > MOST_BYTES or len(values) > MOST_NUMBERS:
            continue
        elif field in (INT32S, INT64S):
            values += _whole_numbers(content)
        elif field == FLOATS:
            values += _numbers(content, "f")
        elif field == RAW and wire == LENGTH:
            raw = bytes(content)
    if raw and kind in KINDS:
        values = _numbers(raw, KINDS[kind])
    return name, values


def _numbers(content: Any, kind: str) -> list[float]:
    count = len(content) // struct.calcsize(f"<{kind}")
    return [*struct.unpack_from(f"<{count}{kind}", content)]


def _whole_numbers(content):
    """Returns the varints that follow each other, 64 bits with a sign."""
    values, value, shift = [], 0, 0
    for byte in content:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            value &= 2**64 - 1
            values.append(value - 2**64 * (value >> 63))
            value = shift = 0
    return values
