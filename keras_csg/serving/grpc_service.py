"""The protocol over gRPC."""

import functools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from keras_csg.serving.errors import (
    BAD_REQUEST,
    NOT_FOUND,
    TOO_LARGE,
    UNAVAILABLE,
    RequestError,
    shown,
)
from keras_csg.serving.grpc_messages import (
    METHODS,
    PACKAGE,
    SERVICE,
    message_classes,
)
from keras_csg.serving.requests import (
    InferRequest,
    InputTensor,
    WantedOutput,
)
from keras_csg.serving.service import MOST_REQUESTS, Service

CODES = {
    BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
    UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}
CONTENTS = {
    "FP32": "fp32_contents",
    "UINT8": "uint_contents",
    "BYTES": "bytes_contents",
}
MESSAGE_ROOM = 64 * 1024
"""Bytes of a message besides the largest body."""


def make_grpc_server(
    service: Service,
    address: str,
    max_body: int,
    threads: int,
    shared_port: bool,
) -> tuple[grpc.Server, int]:
    """Returns a server that listens and has not started, and its port.

    Args:
        service: `Service`.
        address: str, host and port.
        max_body: int. Most bytes of a request.
        threads: int. Requests that are read and answered at a time.
        shared_port: bool. Whether other processes may listen there.

    Raises:
        OSError: if it cannot listen there.
    """
    server = grpc.server(
        ThreadPoolExecutor(threads, "keras_csg-grpc"),
        options=[
            ("grpc.max_receive_message_length", max_body + MESSAGE_ROOM),
            ("grpc.max_send_message_length", -1),
            # By itself gRPC shares its port with whoever asks for it.
            ("grpc.so_reuseport", int(shared_port)),
        ],
        maximum_concurrent_rpcs=2 * MOST_REQUESTS,
    )
    answers = _Answers(service)
    handlers = {
        name: _handler(name, getattr(answers, name)) for name in METHODS
    }
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(f"{PACKAGE}.{SERVICE}", handlers)]
    )
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"Cannot listen at {address}.") from error
    if not port:
        raise OSError(f"Cannot listen at {address}.")
    return server, port


class _Answers:
    """What each method of the protocol answers."""

    def __init__(self, service: Service):
        self._service = service

    def ServerLive(self, request: Any) -> dict:  # noqa: N802
        return {"live": True}

    def ServerReady(self, request: Any) -> dict:  # noqa: N802
        return {"ready": self._service.ready}

    def ModelReady(self, request: Any) -> dict:  # noqa: N802
        self._service.check_model(request.name, request.version)
        return {"ready": self._service.ready}

    def ServerMetadata(self, request: Any) -> dict:  # noqa: N802
        return self._service.describe_server()

    def ModelMetadata(self, request: Any) -> dict:  # noqa: N802
        self._service.check_model(request.name, request.version)
        return self._service.describe_model()

    def ModelInfer(self, request: Any) -> dict:  # noqa: N802
        service = self._service
        with service.counted("grpc"), service.in_flight():
            if request is None:
                raise RequestError("The message is no ModelInferRequest.")
            service.check_model(request.model_name, request.model_version)
            response = service.infer(_read(request))
        parameters = {}
        if response.class_names is not None:
            names = json.dumps(response.class_names)
            parameters["class_names"] = _parameter(names)
        return {
            "model_name": service.name,
            "model_version": service.version,
            "id": response.id or "",
            "parameters": parameters,
            "outputs": [
                {"name": o.name, "datatype": o.datatype, "shape": o.shape}
                for o in response.outputs
            ],
            "raw_output_contents": [o.to_bytes() for o in response.outputs],
        }


def _parameter(text):
    return message_classes()["InferParameter"](string_param=text)


def _handler(name: str, answer: Callable[[Any], dict]) -> Any:
    classes = message_classes()
    request_class = classes[f"{name}Request"]
    response_class = classes[f"{name}Response"]

    def answer_or_abort(request, context):
        try:
            if request is _NO_MESSAGE and name != "ModelInfer":
                raise RequestError(f"The message is no {name}Request.")
            given = None if request is _NO_MESSAGE else request
            return response_class(**answer(given))
        except RequestError as error:
            code = CODES.get(error.status, grpc.StatusCode.INTERNAL)
            context.abort(code, str(error))

    return grpc.unary_unary_rpc_method_handler(
        answer_or_abort,
        request_deserializer=functools.partial(_parse, request_class),
        response_serializer=response_class.SerializeToString,
    )


_NO_MESSAGE = object()


def _parse(message_class, data):
    try:
        return message_class.FromString(data)
    except DecodeError:  # gRPC would log a traceback for it.
        return _NO_MESSAGE


def _read(request) -> InferRequest:
    inputs = list(request.inputs)
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(inputs):
        raise RequestError(
            f"`raw_input_contents` has {len(raw)} parts for {len(inputs)} "
            "inputs."
        )
    for given in inputs:
        if raw and given.contents.ByteSize():
            raise RequestError(
                f"Input {shown(given.name)} has `contents` and "
                "`raw_input_contents`: give one."
            )
    tensors = [
        InputTensor(given.name, given.datatype, _shape(given), raw=part)
        if raw
        else _typed(given)
        for given, part in zip(inputs, raw or inputs, strict=True)
    ]
    outputs = [
        WantedOutput(output.name, _classification(output))
        for output in request.outputs
    ]
    return InferRequest(tensors, outputs, request.id or None)


def _shape(given):
    shape = list(given.shape)
    if any(size < 0 for size in shape):
        raise RequestError(
            f"`shape` of input {shown(given.name)} must be of at least 0. "
            f"Received: {shown(str(shape))}"
        )
    return shape


def _typed(given):
    field = CONTENTS.get(given.datatype)
    values = [] if field is None else list(getattr(given.contents, field))
    return InputTensor(given.name, given.datatype, _shape(given), values=values)


def _classification(output):
    count = output.parameters["classification"].int64_param
    if count < 0:
        raise RequestError(
            "`classification` must be a whole number of at least 0. "
            f"Received: {count}"
        )
    return count
