"""Requests and answers of the protocol, whatever they travel in."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

DATATYPES = {
    "float32": "FP32",
    "uint8": "UINT8",
    "int32": "INT32",
    "int64": "INT64",
    "bool": "BOOL",
}
"""Names of the protocol for NumPy's."""
MOST_DEPTH = 8
BYTES = "BYTES"


@dataclasses.dataclass(frozen=True)
class InputTensor:
    """A tensor as it came.

    Args:
        name: str.
        datatype: str.
        shape: list of int.
        raw: bytes in row-major order, or, of `BYTES`, each element behind its
            length in four bytes; `None` where there are `values`.
        values: numbers in lists of any depth; of `BYTES` a list of bytes.
    """

    name: str
    datatype: str
    shape: list[int]
    raw: bytes | memoryview | None = None
    values: Any = None


@dataclasses.dataclass(frozen=True)
class WantedOutput:
    """An output that is asked for.

    Args:
        name: str.
        classification: int. How many classes to name in place of the numbers,
            0 for the numbers.
        binary: bool. Whether it is to come in binary over HTTP.
    """

    name: str
    classification: int = 0
    binary: bool = False


@dataclasses.dataclass(frozen=True)
class InferRequest:
    """What is asked.

    Args:
        inputs: list of `InputTensor`.
        outputs: list of `WantedOutput`; empty for all there are.
        id: str, which comes back with the answer; `None` for none.
        binary: bool. Whether outputs come in binary that are not asked for
            one by one.
    """

    inputs: list[InputTensor]
    outputs: list[WantedOutput]
    id: str | None = None
    binary: bool = False


@dataclasses.dataclass(frozen=True)
class OutputTensor:
    """A tensor that is sent.

    Args:
        name: str.
        datatype: str.
        array: of numbers; or of Python's bytes, of dtype object.
        binary: bool. Whether it goes in binary over HTTP.
    """

    name: str
    datatype: str
    array: np.ndarray
    binary: bool = False

    @property
    def shape(self) -> list[int]:
        """Its shape, a list of int."""
        return list(self.array.shape)

    def to_bytes(self) -> bytes:
        """Returns its elements as the protocol's binary data."""
        if self.datatype == BYTES:
            return join_elements(self.array.ravel().tolist())
        array = np.ascontiguousarray(self.array)
        return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


@dataclasses.dataclass(frozen=True)
class InferResponse:
    """What is answered.

    Args:
        outputs: list of `OutputTensor`.
        class_names: list of str: the predicted class of each image; `None`
            where the model does not say.
        id: str, that of the request.
    """

    outputs: list[OutputTensor]
    class_names: list[str] | None = None
    id: str | None = None


def as_numbers(values: Any) -> Any:
    """Returns nested lists of numbers as an array; other values as they are.

    NumPy alone would make an array of texts, each as long as the longest.

    Args:
        values: anything.
    """
    if not isinstance(values, list) or not _are_numbers(values, MOST_DEPTH):
        return values
    try:
        return np.asarray(values)
    except (ValueError, OverflowError):  # Uneven lists.
        return values


def _are_numbers(values, depth):
    kinds = set(map(type, values))
    if kinds <= {int, float}:
        return True
    inner = kinds == {list} and depth > 1
    return inner and all(_are_numbers(part, depth - 1) for part in values)


def join_elements(elements: Sequence[bytes]) -> bytes:
    """Returns elements of `BYTES` in binary, each behind its length.

    Args:
        elements: list of bytes.
    """
    return b"".join(
        len(element).to_bytes(4, "little") + element for element in elements
    )


def split_elements(raw: bytes | memoryview) -> list[bytes]:
    """Returns the elements that `join_elements` joined.

    Raises:
        ValueError: if a length leads past the end.
    """
    elements, start = [], 0
    while start < len(raw):
        size = int.from_bytes(raw[start : start + 4], "little")
        stop = start + 4 + size
        if start + 4 > len(raw) or stop > len(raw):
            raise ValueError("a length leads past the end")
        elements.append(bytes(raw[start + 4 : stop]))
        start = stop
    return elements
