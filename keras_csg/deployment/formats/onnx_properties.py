"""Reads what an ONNX file says of itself, without the package `onnx`."""

import os
import pathlib
from typing import BinaryIO

# https://protobuf.dev/programming-guides/encoding/ and onnx.proto's ModelProto
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
METADATA_PROPS = 14
KEY, VALUE = 1, 2
MOST_PROPERTY = 64 * 2**20
"""Bytes of a property: a description needs no more."""
MOST_BITS = 70
"""Bits after which a number has no end."""


class NoOnnxError(ValueError):
    """What was read is no ONNX file, or it is damaged."""


def read_properties(path: pathlib.Path) -> dict[str, str]:
    """Returns the `metadata_props` of an ONNX file.

    Everything else in it, weights included, is passed over unread.

    Args:
        path: path of the file.

    Raises:
        NoOnnxError: if it is no ONNX file, or ends too early.
    """
    properties = {}
    with path.open("rb") as stream:
        for field, start, length in _fields(stream, path.stat().st_size):
            if field == METADATA_PROPS:
                stream.seek(start)
                key, value = _entry(stream, start + length)
                properties[key] = value
                stream.seek(start + length)
    return properties


def _entry(stream, end):
    texts = {KEY: "", VALUE: ""}
    for field, start, length in _fields(stream, end):
        stream.seek(start)
        if length > MOST_PROPERTY:
            raise NoOnnxError("a property is larger than any needs to be")
        try:
            texts[field] = stream.read(length).decode()
        except UnicodeDecodeError as error:
            raise NoOnnxError("a property is no text") from error
    return texts[KEY], texts[VALUE]


def _fields(stream, end):
    """Yields the number of each field, where its content starts, its length.

    From where the stream is up to `end`; it then stands behind the field.
    """
    while stream.tell() < end:
        number, kind = divmod(_number(stream), 8)
        if kind == VARINT:
            start = stream.tell()
            _number(stream)
            length = stream.tell() - start
        elif kind == LENGTH:
            length = _number(stream)
            start = stream.tell()
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            length = 8 if kind == EIGHT_BYTES else 4
            start = stream.tell()
        else:
            raise NoOnnxError(f"there is no kind {kind} of fields")
        if not number or start + length > end:
            raise NoOnnxError("a field is longer than the file")
        yield number, start, length
        stream.seek(start + length, os.SEEK_SET)


def _number(stream: BinaryIO) -> int:
    number = 0
    for shift in range(0, MOST_BITS, 7):
        byte = stream.read(1)
        if not byte:
            raise NoOnnxError("the file ends within a number")
        number |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return number
    raise NoOnnxError("a number has no end")
