"""Requests and answers as JSON, with the protocol's binary extension."""

import base64
import binascii
import json
import threading
from typing import Any

import numpy as np

from keras_csg.serving.errors import (
    TOO_LARGE,
    WRONG_KIND,
    RequestError,
    plain,
    shown,
)
from keras_csg.serving.requests import (
    BYTES,
    InferRequest,
    InferResponse,
    InputTensor,
    OutputTensor,
    WantedOutput,
    as_numbers,
)

MOST_TENSORS = 64
LARGE = 2**20
"""Bytes of JSON above which requests are read one after the other."""
MOST_VALUES = 2**22
"""Values of a request in JSON, each of which takes up to 70 bytes."""
_large = threading.Lock()
SPACE = b" \t\r\n"
BEGINNINGS = (b"{", b"[", b"\xef\xbb\xbf")
"""Of a request that is meant to be JSON; the last is a byte order mark."""
NEITHER = (
    "The request is neither JSON in UTF-8 nor a JPEG or PNG file, which must "
    "be all of it: curl --data-binary @photo.jpg."
)


def read_request(
    body: bytes | bytearray, header_length: str | None = None
) -> InferRequest:
    """Reads a request to infer.

    Args:
        body: bytes, JSON and then the binary data, which are not copied.
        header_length: str. Of how many bytes the JSON is, as the header
            `Inference-Header-Content-Length` says; `None` for all.

    Raises:
        RequestError: naming the field that is wrong, or if the JSON has too
            many values.
    """
    text, binary = _parts(body, header_length)
    if len(text) <= LARGE:
        return _read(text, binary)
    _check_values(text)
    with _large:  # Lists of numbers take ten times the memory of their text.
        return _read(text, binary)


def _read(text, binary):
    request = _object("The request", _parsed(text))
    inputs, rest = [], memoryview(binary)
    for given in _objects("inputs", request.get("inputs")):
        tensor, rest = _input(given, rest)
        inputs.append(tensor)
    if len(rest):
        raise RequestError(
            f"There are {len(rest)} bytes behind those that "
            "`binary_data_size` of the inputs tells."
        )
    parameters = _parameters("The request", request)
    by_itself = _flag("binary_data_output", parameters, False)
    outputs = [
        _wanted(given, by_itself)
        for given in _objects("outputs", request.get("outputs", []))
    ]
    return InferRequest(inputs, outputs, _id(request), by_itself)


def write_response(
    response: InferResponse, model: str, version: str
) -> tuple[bytes, int | None]:
    """Writes an answer.

    Args:
        response: `InferResponse`.
        model: str. Name of the model.
        version: str, of the model.

    Returns:
        A tuple of the body and of how many bytes of it are JSON; `None` for
        all, where nothing is binary.
    """
    described: dict[str, Any] = {"model_name": model, "model_version": version}
    if response.id is not None:
        described["id"] = response.id
    if response.class_names is not None:
        names = json.dumps(response.class_names)
        described["parameters"] = {"class_names": names}
    binary = b""
    described["outputs"] = []
    for output in response.outputs:
        entry: dict[str, Any] = {
            "name": output.name,
            "datatype": output.datatype,
            "shape": output.shape,
        }
        if output.binary:
            data = output.to_bytes()
            entry["parameters"] = {"binary_data_size": len(data)}
            binary += data
        else:
            entry["data"] = _values(output)
        described["outputs"].append(entry)
    text = json.dumps(described).encode()
    if any(output.binary for output in response.outputs):
        return text + binary, len(text)
    return text, None


def _parts(body, header_length):
    if header_length is None:
        return body, b""
    number = header_length.strip()
    if not (number.isascii() and number.isdigit()) or int(number[:20]) > len(
        body
    ):
        raise RequestError(
            "`Inference-Header-Content-Length` must be a number of bytes of "
            f"the body, {len(body)}. Received: {shown(header_length)}"
        )
    length = int(number)
    return body[:length], memoryview(body)[length:]


def _check_values(text):
    """Refuses JSON with many values before they are made."""
    many = sum(text.count(sign) for sign in (b",", b"[", b"{"))
    if many > MOST_VALUES:
        raise RequestError(
            f"A request may have {MOST_VALUES:,} values in JSON, and this one "
            f"has {many:,}: send larger tensors as binary data, whose length "
            "`binary_data_size` tells, over gRPC, or as image files.",
            TOO_LARGE,
        )


def _parsed(text):
    try:
        # Of bytes it would take UTF-16, whose commas are counted wrongly.
        return json.loads(
            str(text, "utf-8-sig"), parse_constant=_refuse_constant
        )
    except RecursionError as error:
        raise RequestError("The request's JSON is too deep.") from error
    except ValueError as error:
        begun = text[:LARGE].lstrip(SPACE)
        if begun and not begun.startswith(BEGINNINGS):
            raise RequestError(NEITHER, WRONG_KIND) from error
        reason = plain(str(error))
        raise RequestError(f"The request is no JSON: {reason}.") from error


def _refuse_constant(name):
    raise ValueError(f"{name} is no number of JSON")


def _object(what, value):
    if not isinstance(value, dict):
        raise RequestError(
            f"{what} must be a JSON object. Received: {shown(value)}"
        )
    return value


def _objects(name, value):
    if not isinstance(value, list) or len(value) > MOST_TENSORS:
        raise RequestError(
            f"`{name}` must be a list of up to {MOST_TENSORS} objects. "
            f"Received: {shown(value)}"
        )
    return [_object(f"Each of `{name}`", item) for item in value]


def _parameters(what, given):
    parameters = given.get("parameters", {})
    return _object(f"`parameters` of {what[0].lower()}{what[1:]}", parameters)


def _flag(name, parameters, default):
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(
            f"`{name}` must be true or false. Received: {shown(value)}"
        )
    return value


def _id(request):
    value = request.get("id")
    return None if value is None else _text("id", value)


def _text(name, value):
    if not isinstance(value, str):
        raise RequestError(f"`{name}` must be a text. Received: {shown(value)}")
    return value


def _whole(name, value):
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise RequestError(
            f"`{name}` must be a whole number of at least 0. "
            f"Received: {shown(value)}"
        )
    return value


def _shape(value):
    if not isinstance(value, list) or len(value) > 8:
        raise RequestError(
            f"`shape` must be a list of up to 8 numbers. "
            f"Received: {shown(value)}"
        )
    return [_whole("shape", size) for size in value]


def _input(given, binary):
    """Returns an `InputTensor`, and the binary data that are left."""
    name = _text("name", given.get("name"))
    datatype = _text("datatype", given.get("datatype"))
    shape = _shape(given.get("shape"))
    parameters = _parameters(f"input {shown(name)}", given)
    size = parameters.get("binary_data_size")
    if size is None:
        values = _data(name, datatype, given.get("data"))
        return InputTensor(name, datatype, shape, values=values), binary
    size = _whole("binary_data_size", size)
    if "data" in given:
        raise RequestError(
            f"Input {shown(name)} has `data` and `binary_data_size`: give one."
        )
    if size > len(binary):
        raise RequestError(
            f"`binary_data_size` of input {shown(name)} is {size}, and "
            f"{len(binary)} bytes are left."
        )
    return InputTensor(name, datatype, shape, raw=binary[:size]), binary[size:]


def _data(name, datatype, values):
    if not isinstance(values, list):
        raise RequestError(
            f"`data` of input {shown(name)} must be a list. "
            f"Received: {shown(values)}"
        )
    if datatype != BYTES:
        return as_numbers(values)
    if len(values) == 1 and isinstance(values[0], list):
        (values,) = values
    elif values and all(isinstance(v, list) and len(v) == 1 for v in values):
        values = [value for (value,) in values]
    return [_decoded(name, value) for value in values]


def _decoded(name, value):
    """Returns bytes in base64, as they are or in an object's `b64`."""
    if isinstance(value, dict):
        value = value.get("b64")
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise RequestError(
        f"`data` of input {shown(name)}, BYTES, must be texts in base64. "
        f"Received: {shown(value)}"
    )


def _wanted(given, by_itself):
    name = _text("name", given.get("name"))
    parameters = _parameters(f"output {shown(name)}", given)
    return WantedOutput(
        name,
        _whole("classification", parameters.get("classification", 0)),
        _flag("binary_data", parameters, by_itself),
    )


def _values(output: OutputTensor) -> list:
    values = np.asarray(output.array).ravel().tolist()
    if output.datatype == BYTES:
        return [value.decode() for value in values]
    return values
