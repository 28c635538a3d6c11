"""The messages are those that are published, byte for byte."""

import pytest

pytest.importorskip("google.protobuf", reason="pip install protobuf")

from keras_csg.serving.grpc_messages import (  # noqa: E402
    MESSAGES,
    message_classes,
)


def test_a_request_is_written_as_by_hand():
    classes = message_classes()
    request = classes["ModelInferRequest"](
        model_name="m",
        inputs=[{"name": "i", "datatype": "FP32", "shape": [1, 300]}],
        raw_input_contents=[b"\x00\xff"],
    )
    request.parameters["p"].int64_param = 5
    # Each field: its number times 8 and its type, then what it holds.
    assert request.SerializeToString(deterministic=True) == (
        b"\x0a\x01m"
        b"\x22\x07\x0a\x01p\x12\x02\x10\x05"
        b"\x2a\x0e\x0a\x01i\x12\x04FP32\x1a\x03\x01\xac\x02"
        b"\x3a\x02\x00\xff"
    )


def test_an_answer_is_written_as_by_hand():
    response = message_classes()["ModelInferResponse"](
        model_version="2",
        outputs=[{"name": "o", "contents": {"bytes_contents": [b"x"]}}],
        raw_output_contents=[b"y"],
    )
    assert response.SerializeToString() == (
        b"\x12\x012\x2a\x08\x0a\x01o\x2a\x03\x42\x01x\x32\x01y"
    )


def test_a_parameter_is_one_of_its_kinds():
    parameter = message_classes()["InferParameter"](bool_param=True)
    parameter.string_param = "s"
    assert parameter.WhichOneof("parameter_choice") == "string_param"
    assert not parameter.bool_param


def described(message):
    return {
        field.name: (field.number, field.type, field.is_repeated)
        for field in message.DESCRIPTOR.fields
    }


@pytest.mark.parametrize("name", MESSAGES)
def test_fields_are_those_of_another_client(name):
    theirs = pytest.importorskip(
        "tritonclient.grpc.service_pb2", reason="`make test-triton`"
    )
    for part in name.split("."):
        theirs = getattr(theirs, part)
    mine = described(message_classes()[name])
    other = described(theirs)
    assert mine.items() <= other.items()
