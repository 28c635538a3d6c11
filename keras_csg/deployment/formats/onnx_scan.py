"""Looks through an ONNX file before a runtime opens it.

Which operations it has, which other files its weights lie in, and the digest of
all but its description. Without the package `onnx`, and without unpacking
weights: what is long is passed over.

Fields are those of onnx.proto. A field that comes twice counts twice, so what
a parser would join is seen, too.
"""

import mmap
import pathlib
from collections.abc import Iterator
from typing import NamedTuple

from keras_csg.deployment.formats.digests import digest_of_parts
from keras_csg.deployment.formats.onnx_properties import (
    EIGHT_BYTES,
    FOUR_BYTES,
    KEY,
    LENGTH,
    METADATA_PROPS,
    MOST_BITS,
    VALUE,
    VARINT,
    NoOnnxError,
)

# Where messages with nodes and tensors are, by the message they are in.
MODEL = {7: "graph", 20: "training", 25: "function"}
TRAINING = {1: "graph", 2: "graph"}
GRAPH = {1: "node", 5: "tensor", 15: "sparse"}
FUNCTION = {7: "node", 11: "attribute"}
NODE = {5: "attribute"}
ATTRIBUTE = {5: "tensor", 10: "tensor", 6: "graph", 11: "graph"}
ATTRIBUTE |= {22: "sparse", 23: "sparse"}
SPARSE = {1: "tensor", 2: "tensor"}
WITHIN: dict[str, dict[int, str]] = {
    "model": MODEL,
    "training": TRAINING,
    "graph": GRAPH,
    "function": FUNCTION,
    "node": NODE,
    "attribute": ATTRIBUTE,
    "sparse": SPARSE,
    "tensor": {},
}
OPERATION, DOMAIN = 4, 7
EXTERNAL, LOCATION = 13, b"location"
MOST_DEPTH = 100
OWN_DOMAINS = ("", "ai.onnx")
"""ONNX's own, whose operations compute and do nothing else."""


class OnnxScan(NamedTuple):
    """What is in an ONNX file.

    Attributes:
        foreign: list of str. Operations that are not ONNX's own.
        files: list of str. Files that weights lie in, as the file names them.
        digest: str. SHA-256 of all but the description under a key.
    """

    foreign: list[str]
    files: list[str]
    digest: str


def scan(path: pathlib.Path, key: str) -> OnnxScan:
    """Looks through an ONNX file.

    Args:
        path: path of the file.
        key: str. The property that holds the description.

    Raises:
        NoOnnxError: if it is no ONNX file, or damaged.
    """
    data = content_of(path)
    foreign: set[str] = set()
    files: set[str] = set()
    _walk(data, "model", foreign, files, 0)
    return OnnxScan(sorted(foreign), sorted(files), _digest(data, key))


def content_of(path: pathlib.Path) -> memoryview:
    """Returns what is in a file, mapped; closed with the last view of it.

    Raises:
        NoOnnxError: if nothing is.
    """
    with path.open("rb") as stream:
        if not path.stat().st_size:
            raise NoOnnxError("it is empty")
        return memoryview(
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        )


def check_files(files: list[str], folder: pathlib.Path) -> None:
    """Refuses weights that lie elsewhere than beside the file.

    Args:
        files: names, as `OnnxScan` has them.
        folder: path of the folder of the ONNX file.

    Raises:
        ValueError: naming the file.
    """
    inside = folder.resolve()
    for name in files:
        shown = ascii(name[:200])[1:-1]
        parts = name.replace("\\", "/").split("/")
        out = name.startswith(("/", "\\")) or ".." in parts or ":" in name
        target = inside.joinpath(*parts)
        if out or not target.resolve().is_relative_to(inside):
            raise ValueError(f"its weights lie outside its folder, in {shown}")
        if not target.is_file():
            raise ValueError(f"its weights lie in {shown}, which is no file")


def _walk(data, kind, foreign, files, depth):
    """Gathers what is in a message, and in those within."""
    if depth > MOST_DEPTH:
        raise NoOnnxError("it is nested too deep")
    within = WITHIN[kind]
    operation = domain = b""
    for field, wire, start, end in fields(data):
        if wire != LENGTH:
            continue
        content = data[start:end]
        if field in within:
            _walk(content, within[field], foreign, files, depth + 1)
        elif kind == "node" and field == OPERATION:
            operation = bytes(content)
        elif kind == "node" and field == DOMAIN:
            domain = bytes(content)
        elif kind == "tensor" and field == EXTERNAL:
            name, value = _entry(content)
            if name == LOCATION:
                files.add(value.decode(errors="replace"))
    known = domain.decode(errors="replace")
    if kind == "node" and known not in OWN_DOMAINS:
        foreign.add(f"{known}.{operation.decode(errors='replace')}")


def _digest(data, key):
    """Returns the digest of all fields but the description."""
    kept = []
    for field, wire, start, end in fields(data):
        if field == METADATA_PROPS and wire == LENGTH:
            if _entry(data[start:end])[0] == key.encode():
                continue
        kept.append((field, wire, start, end))
    return digest_of_parts(
        part
        for field, wire, start, end in kept
        for part in (
            f"{field} {wire} {end - start}\n".encode(),
            data[start:end],
        )
    )


def _entry(data):
    texts = {KEY: b"", VALUE: b""}
    for field, _, start, end in fields(data):
        texts[field] = bytes(data[start:end])
    return texts[KEY], texts[VALUE]


def fields(data: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Yields number, kind, start and end of each field of a message.

    Raises:
        NoOnnxError: if it is no message, or cut short.
    """
    position, end = 0, len(data)
    while position < end:
        tag, position = _number(data, position)
        number, wire = divmod(tag, 8)
        start = position
        if wire == VARINT:
            _, position = _number(data, position)
        elif wire == LENGTH:
            length, start = _number(data, position)
            position = start + length
        elif wire in (EIGHT_BYTES, FOUR_BYTES):
            position += 8 if wire == EIGHT_BYTES else 4
        else:
            raise NoOnnxError(f"there is no kind {wire} of fields")
        if not number or position > end:
            raise NoOnnxError("a field is longer than the file")
        yield number, wire, start, position


def _number(data, position):
    number = 0
    for shift in range(0, MOST_BITS, 7):
        if position >= len(data):
            raise NoOnnxError("the file ends within a number")
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
    raise NoOnnxError("a number has no end")
