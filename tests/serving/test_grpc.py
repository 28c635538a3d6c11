"""The protocol over gRPC, with a client made of the same messages."""

import contextlib
import json

import numpy as np
import pytest

from tests.serving import stand_in
from tests.serving.stand_in import NAME, NAMES, answers_by_hand, check
from tests.serving.test_http import picture

import grpc  # isort: skip

from keras_csg.serving.grpc_messages import message_classes

SERVICE = "/inference.GRPCInferenceService/"
CODE = grpc.StatusCode


@pytest.fixture(scope="module")
def server():
    with stand_in.served(grpc_port=0) as server:
        yield server


@contextlib.contextmanager
def asking(server):
    """Gives what calls a method of the protocol with fields of its message."""
    options = [("grpc.max_receive_message_length", -1)]
    address = f"127.0.0.1:{server.grpc_port}"
    with grpc.insecure_channel(address, options) as channel:

        def call(method, **fields):
            classes = message_classes()
            return channel.unary_unary(
                SERVICE + method,
                classes[f"{method}Request"].SerializeToString,
                classes[f"{method}Response"].FromString,
            )(classes[f"{method}Request"](**fields), timeout=30)

        call.channel = channel
        yield call


@pytest.fixture(scope="module")
def ask(server):
    with asking(server) as call:
        yield call


def raw(images, datatype="FP32", **changes):
    fields = {
        "model_name": NAME,
        "inputs": [
            {
                "name": "images",
                "datatype": datatype,
                "shape": list(images.shape),
            }
        ],
        "raw_input_contents": [images.tobytes()],
    }
    return fields | changes


def arrays(answer):
    kinds = {"FP32": "<f4", "INT32": "<i4"}
    parts = zip(answer.outputs, answer.raw_output_contents, strict=True)
    return {
        output.name: np.frombuffer(data, kinds[output.datatype]).reshape(
            output.shape
        )
        for output, data in parts
    }


def test_server_and_model_are_described(ask):
    assert ask("ServerLive").live and ask("ServerReady").ready
    assert ask("ModelReady", name=NAME, version="3").ready
    assert ask("ServerMetadata").name == "keras_csg"
    found = ask("ModelMetadata", name=NAME)
    assert list(found.versions) == ["3"]
    assert [(t.name, t.datatype, list(t.shape)) for t in found.inputs] == [
        ("images", "FP32", [-1, 4, 5, 3])
    ]
    assert [t.name for t in found.outputs] == [
        "probabilities",
        "class_id",
        "heatmap",
    ]


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_raw_contents_are_answered(ask, dtype):
    images = stand_in.some_images(3, dtype=dtype)
    datatype = {"float32": "FP32", "uint8": "UINT8"}[dtype]
    answer = ask("ModelInfer", **raw(images, datatype, id="7"))
    check(arrays(answer), images)
    assert (answer.id, answer.model_name, answer.model_version) == (
        "7",
        NAME,
        "3",
    )
    names = json.loads(answer.parameters["class_names"].string_param)
    classes = answers_by_hand(images)["class_id"]
    assert names == [NAMES[number] for number in classes]


@pytest.mark.parametrize(
    ("datatype", "field"),
    [("FP32", "fp32_contents"), ("UINT8", "uint_contents")],
)
def test_typed_contents_are_answered(ask, datatype, field):
    images = stand_in.some_images(2)
    values = images.ravel().astype(int).tolist()
    fields = raw(images, datatype, raw_input_contents=[])
    fields["inputs"][0]["contents"] = {field: values}
    check(arrays(ask("ModelInfer", **fields)), images)


@pytest.mark.parametrize("typed", [False, True])
def test_image_files_are_answered(ask, typed):
    pixels, data = picture()
    fields = raw(np.empty(1), "BYTES")
    if typed:
        fields["raw_input_contents"] = []
        fields["inputs"][0]["contents"] = {"bytes_contents": [data]}
    else:
        length = len(data).to_bytes(4, "little")
        fields["raw_input_contents"] = [length + data]
    check(arrays(ask("ModelInfer", **fields)), pixels[None])


def test_only_the_outputs_that_are_asked_for_are_sent(ask):
    wanted = [
        {"name": "class_id"},
        {
            "name": "probabilities",
            "parameters": {"classification": {"int64_param": 1}},
        },
    ]
    images = np.zeros((1, *stand_in.SHAPE), "float32")
    answer = ask("ModelInfer", **raw(images, outputs=wanted))
    assert [output.name for output in answer.outputs] == [
        "class_id",
        "probabilities",
    ]
    assert answer.raw_output_contents[1] == b"\x0e\0\0\0000.333333:0:red"


ONE = stand_in.some_images(1)
NAN = np.full_like(ONE, np.nan)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        (raw(ONE, model_name="birds"), CODE.NOT_FOUND, "no model 'birds'"),
        (raw(ONE, model_version="4"), CODE.NOT_FOUND, "no version '4'"),
        (raw(ONE, inputs=[]), CODE.INVALID_ARGUMENT, "1 parts for 0"),
        (
            raw(ONE, raw_input_contents=[b"1"]),
            CODE.INVALID_ARGUMENT,
            "1 bytes of data, and its `shape` 240",
        ),
        (
            raw(ONE, raw_input_contents=[]),
            CODE.INVALID_ARGUMENT,
            "0 numbers of data",
        ),
        (
            raw(ONE, raw_input_contents=[b"", b""]),
            CODE.INVALID_ARGUMENT,
            "2 parts for 1",
        ),
        (
            raw(
                ONE,
                inputs=[
                    raw(ONE)["inputs"][0]
                    | {"contents": {"fp32_contents": [1.0]}}
                ],
            ),
            CODE.INVALID_ARGUMENT,
            "`contents` and `raw_input_contents`: give one",
        ),
        (raw(ONE, "FP64"), CODE.INVALID_ARGUMENT, "'FP64'"),
        (raw(ONE[0]), CODE.INVALID_ARGUMENT, "must be [-1, 4, 5, 3]"),
        (raw(NAN), CODE.INVALID_ARGUMENT, "NaN"),
        (
            raw(stand_in.some_images(9)),
            CODE.INVALID_ARGUMENT,
            "1 to 8 images. Received: 9",
        ),
        (
            raw(ONE, outputs=[{"name": "gate"}]),
            CODE.INVALID_ARGUMENT,
            "Received: 'gate'",
        ),
        (
            raw(
                ONE,
                inputs=[
                    {"name": "images", "datatype": "FP32", "shape": [-1, 4, 5]}
                ],
            ),
            CODE.INVALID_ARGUMENT,
            "of at least 0",
        ),
        (
            raw(np.full_like(ONE, 13)),
            CODE.INTERNAL,
            "The model failed to answer.",
        ),
    ],
)
def test_a_wrong_request_is_refused(ask, fields, code, words):
    with pytest.raises(grpc.RpcError) as raised:
        ask("ModelInfer", **fields)
    assert raised.value.code() == code
    assert words in raised.value.details()
    check(arrays(ask("ModelInfer", **raw(ONE))), ONE)


@pytest.mark.parametrize("method", ["ModelInfer", "ModelReady"])
def test_a_message_that_is_none_is_refused(ask, method):
    with pytest.raises(grpc.RpcError) as raised:
        ask.channel.unary_unary(SERVICE + method)(b"\xff\xff", timeout=30)
    assert raised.value.code() == CODE.INVALID_ARGUMENT
    assert f"no {method}Request" in raised.value.details()


def test_nobody_can_manage_models(ask):
    with pytest.raises(grpc.RpcError) as raised:
        ask.channel.unary_unary(SERVICE + "RepositoryModelUnload")(b"")
    assert raised.value.code() == CODE.UNIMPLEMENTED


def test_messages_are_as_large_as_the_largest_batch():
    """64 photographs of float32, 38 MB, where gRPC by itself takes 4 MB."""
    side = 224
    images = np.zeros((64, side, side, 3), "float32")
    exported = stand_in.Colours(shape=(side, side, 3))
    with stand_in.served(
        exported, grpc_port=0, max_batch_size=64, max_body=images.nbytes
    ) as server:
        options = [("grpc.max_receive_message_length", -1)]
        classes = message_classes()
        address = f"127.0.0.1:{server.grpc_port}"
        with grpc.insecure_channel(address, options) as channel:
            infer = channel.unary_unary(
                SERVICE + "ModelInfer",
                classes["ModelInferRequest"].SerializeToString,
                classes["ModelInferResponse"].FromString,
            )
            asked = classes["ModelInferRequest"](**raw(images))
            answer = infer(asked, timeout=60)
            assert list(answer.outputs[0].shape) == [64, 3]
            asked.raw_input_contents[0] += b"x" * 2**17
            with pytest.raises(grpc.RpcError) as raised:
                infer(asked, timeout=60)
    assert raised.value.code() == CODE.RESOURCE_EXHAUSTED
