"""The protocol's messages over gRPC, made when they are first used.

The protocol is published as `open_inference_grpc.proto` by the Open Inference
Protocol project. What goes over the wire is the numbers and types of fields,
which are written down here; code that a compiler makes of such a file would
tie the package to the versions of protobuf that the compiler was made for.
"""

import functools
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

PACKAGE = "inference"
SERVICE = "GRPCInferenceService"
METHODS = (
    "ServerLive",
    "ServerReady",
    "ModelReady",
    "ServerMetadata",
    "ModelMetadata",
    "ModelInfer",
)

_TENSOR = "name string, datatype string, shape [int64]"
_PARAMETERS = "parameters {InferParameter}"
_CONTENTS = f"{_TENSOR}, {_PARAMETERS}, contents InferTensorContents"
# Names of fields and their types, in the order of their numbers from 1; in
# brackets what may be there several times, in braces a map from texts.
MESSAGES = {
    "InferParameter": "bool_param bool, int64_param int64, string_param "
    "string, double_param double, uint64_param uint64",
    "InferTensorContents": "bool_contents [bool], int_contents [int32], "
    "int64_contents [int64], uint_contents [uint32], uint64_contents [uint64], "
    "fp32_contents [float], fp64_contents [double], bytes_contents [bytes]",
    "ServerLiveRequest": "",
    "ServerLiveResponse": "live bool",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "ready bool",
    "ModelReadyRequest": "name string, version string",
    "ModelReadyResponse": "ready bool",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "name string, version string, "
    "extensions [string]",
    "ModelMetadataRequest": "name string, version string",
    "ModelMetadataResponse": "name string, versions [string], platform string, "
    "inputs [ModelMetadataResponse.TensorMetadata], "
    "outputs [ModelMetadataResponse.TensorMetadata]",
    "ModelMetadataResponse.TensorMetadata": _TENSOR,
    "ModelInferRequest": "model_name string, model_version string, id string, "
    f"{_PARAMETERS}, inputs [ModelInferRequest.InferInputTensor], "
    "outputs [ModelInferRequest.InferRequestedOutputTensor], "
    "raw_input_contents [bytes]",
    "ModelInferRequest.InferInputTensor": _CONTENTS,
    "ModelInferRequest.InferRequestedOutputTensor": f"name string, "
    f"{_PARAMETERS}",
    "ModelInferResponse": "model_name string, model_version string, "
    f"id string, {_PARAMETERS}, "
    "outputs [ModelInferResponse.InferOutputTensor], "
    "raw_output_contents [bytes]",
    "ModelInferResponse.InferOutputTensor": _CONTENTS,
}
# A parameter has one of its fields.
_ONE_OF = {"InferParameter": "parameter_choice"}

_Field = descriptor_pb2.FieldDescriptorProto


@functools.cache
def message_classes() -> dict[str, Any]:
    """Returns the classes of the messages by their names.

    They are in a pool of their own: another package in the process may have
    messages of these names.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="keras_csg/open_inference.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        within = file.message_type
        if outer:
            within = next(m for m in within if m.name == outer).nested_type
        _describe(within.add(name=inner), name, fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{PACKAGE}.{name}")
        )
        for name in MESSAGES
    }


def _describe(message, name, fields):
    if name in _ONE_OF:
        message.oneof_decl.add(name=_ONE_OF[name])
    parts = [part.split() for part in fields.split(",") if part.strip()]
    for number, (field_name, kind) in enumerate(parts, 1):
        field = message.field.add(
            name=field_name, number=number, label=_Field.LABEL_OPTIONAL
        )
        if kind[0] in "[{":
            field.label = _Field.LABEL_REPEATED
        if kind[0] == "{":
            entry = message.nested_type.add(name="ParametersEntry")
            entry.options.map_entry = True
            _describe(entry, "", f"key string, value {kind[1:-1]}")
            kind = f"{name}.ParametersEntry"
        _set_type(field, kind.strip("[]"))
        if name in _ONE_OF:
            field.oneof_index = 0


def _set_type(field, kind):
    if kind[0].isupper():
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{kind}"
    else:
        field.type = getattr(_Field, f"TYPE_{kind.upper()}")
