"""Requests that are wrong: each is refused in one line, and harms no other."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from keras_csg.serving import http_app
from keras_csg.serving.requests import as_numbers
from tests.serving import stand_in
from tests.serving.stand_in import (
    INFER,
    as_json,
    post,
    send,
    some_images,
)

IMAGES = some_images(1)
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def port():
    with stand_in.served() as server:
        yield server.port


def refused(port, body, status, words, headers=None):
    found, answer = post(port, body, headers=headers)
    assert found == status, answer
    assert words in answer["error"], answer
    assert "\n" not in answer["error"] and len(answer["error"]) < 300
    assert post(port, as_json(IMAGES))[0] == 200


GOOD = as_json(IMAGES)
(TENSOR,) = GOOD["inputs"]


def tensor(**changes):
    return {"inputs": [TENSOR | changes]}


def files(*data, shape=None):
    return tensor(datatype="BYTES", shape=shape or [len(data)], data=list(data))


def large_picture():
    stream = io.BytesIO()
    Image.new("RGB", (101, 100)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def test_texts_of_very_different_lengths_take_no_memory():
    """NumPy would make an array of the longest times the number of all."""
    data = ["x" * 2**20, *[""] * 2**20]
    assert as_numbers(data) is data
    assert as_numbers([[1, 2.5], [3, 4]]).tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize(
    "data", [[[1, "2"]], [1, None], [[1], [2, 3]], [10**400]]
)
def test_what_is_no_array_of_numbers_is_refused(port, data):
    refused(port, tensor(data=data), 400, "must be numbers")


WHOLE = "UINT8, must be whole numbers in 0..255"
GIF = base64.b64encode(b"GIF89a" + bytes(20)).decode()
CUT = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(9)).decode()
POSTSCRIPT = base64.b64encode(b"%!PS-Adobe-3.0 EPSF-3.0\n").decode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON"),
        (b" ", "no JSON"),
        (b"{\xff", "no JSON"),
        (json.dumps(tensor()).encode("utf-16-le"), "no JSON"),
        (b"{", "no JSON"),
        (b"[" * 15_000, "too deep"),
        (b'{"a":' * 3_000, "JSON"),  # Too deep until Python 3.12.
        ([], "request must be a JSON object"),
        ({}, "`inputs` must be a list"),
        ({"inputs": {}}, "`inputs` must be a list"),
        ({"inputs": [1]}, "Each of `inputs`"),
        ({"inputs": []}, "one tensor named 'images'"),
        ({"inputs": [TENSOR, TENSOR]}, "one tensor named 'images'"),
        ({"inputs": [{}] * 65}, "up to 64"),
        (tensor(name="pi\nxels"), r"Received: 'pi\nxels'"),
        (tensor(name=3), "`name` must be a text"),
        (tensor(datatype="WORDS"), "must be FP32 or UINT8, or BYTES"),
        (tensor(datatype="FP64"), "Received: 'FP64'"),
        (tensor(datatype=None), "`datatype` must be a text"),
        (tensor(shape=None), "`shape` must be a list"),
        (tensor(shape=[1, 4, 5, True]), "`shape` must be a whole number"),
        (tensor(shape=[-1, 4, 5, 3]), "`shape` must be a whole number"),
        (tensor(shape=[1.0, 4, 5, 3]), "`shape` must be a whole number"),
        (tensor(shape=[0, 4, 5, 3]), "1 to 8 images"),
        (tensor(shape=[4, 5, 3]), "must be [-1, 4, 5, 3]"),
        (tensor(shape=[1, 5, 4, 3]), "must be [-1, 4, 5, 3]"),
        (tensor(shape=[2, 4, 5, 3]), "60 numbers of data, and its `shape` 120"),
        (tensor(data=None), "`data` of input 'images' must be a list"),
        (tensor(data="0" * 60), "`data` of input 'images' must be a list"),
        (tensor(data=[]), "0 numbers of data"),
        (tensor(data=["1"] * 60), "must be numbers"),
        (tensor(data=[None] * 60), "must be numbers"),
        (tensor(data=[True] * 60), "must be numbers"),
        (tensor(data=[[1, 2], [3]]), "must be numbers"),
        (tensor(data=[{}] * 60), "must be numbers"),
        (tensor(data=[10**100] * 60), "must be numbers"),
        (tensor(data=[1e39] * 60), "NaN or infinite"),
        (tensor(data=[float("nan")] * 60), "NaN is no number of JSON"),
        (tensor(data=[float("inf")] * 60), "no number of JSON"),
        (tensor(datatype="UINT8", data=[256] * 60), WHOLE),
        (tensor(datatype="UINT8", data=[-1] * 60), WHOLE),
        (tensor(datatype="UINT8", data=[0.5] * 60), WHOLE),
        (tensor(datatype="UINT8", data=[7] * 59 + [1.5]), WHOLE),
        (tensor(datatype="UINT8", data=[300.0] * 60), WHOLE),
        (tensor(datatype="UINT8", data=[-1.0] * 60), WHOLE),
        (GOOD | {"id": 7}, "`id` must be a text"),
        (GOOD | {"parameters": []}, "`parameters` of the request"),
        (GOOD | {"outputs": None}, "`outputs` must be a list"),
        (GOOD | {"outputs": [{"name": "gate"}]}, "Received: 'gate'"),
        (
            GOOD
            | {
                "outputs": [
                    {"name": "heatmap", "parameters": {"classification": 1}}
                ]
            },
            "`classification` is for the outputs probabilities",
        ),
        (
            GOOD
            | {
                "outputs": [
                    {"name": "heatmap", "parameters": {"binary_data": 1}}
                ]
            },
            "`binary_data` must be true or false",
        ),
        (files("?"), "texts in base64"),
        (files(3), "texts in base64"),
        (files({"data": "x"}), "texts in base64"),
        (files(""), "neither a JPEG nor a PNG"),
        (files(GIF), "Image 0 of input 'images' is neither"),
        (files(POSTSCRIPT), "neither a JPEG nor a PNG"),
        (files(CUT), "cannot be decoded"),
        (files(CUT, shape=[2]), "has 1 images, and its `shape` 2"),
        (files(CUT, shape=[1, 2]), "must be [n] or [n, 1]"),
        (files(shape=[0]), "has 0 images"),
    ],
)
def test_a_wrong_request_is_named_by_its_field(port, body, words):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if len(body) > 20_000:
        pytest.fail("this would be refused for its size")
    refused(port, body, 400, words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (tensor(shape=[9, 4, 5, 3]), "1 to 8 images. Received: 9"),
        (tensor(shape=[2**70, 4, 5, 3]), "1 to 8 images"),
        (files(shape=[9]), "1 to 8 images. Received: 9"),
        (files(large_picture()), "has more than 10,000 pixels"),
        (b" " * 20_001, "20,000 bytes at most"),
    ],
)
def test_what_is_too_large_is_said_to_be(port, body, words):
    refused(port, body, 413, words)


def binary(parameters, binary_data, **changes):
    header = tensor(parameters=parameters, **changes)
    if "data" not in changes:
        del header["inputs"][0]["data"]
    text = json.dumps(header).encode()
    return text + binary_data, {LENGTH: str(len(text))}


PIXELS = IMAGES.tobytes()
NAN = np.full_like(IMAGES, np.nan).tobytes()


@pytest.mark.parametrize(
    ("parameters", "data", "words"),
    [
        ({"binary_data_size": 240}, PIXELS[:-1], "239 bytes are left"),
        ({"binary_data_size": 239}, PIXELS, "1 bytes behind"),
        ({"binary_data_size": 236}, PIXELS[:236], "its `shape` 240"),
        ({"binary_data_size": -1}, PIXELS, "`binary_data_size` must be"),
        ({"binary_data_size": "240"}, PIXELS, "`binary_data_size` must be"),
        ({"binary_data_size": 2**80}, PIXELS, "240 bytes are left"),
        ({}, PIXELS, "`data` of input 'images' must be a list"),
        ({"binary_data_size": 240}, NAN, "NaN or infinite"),
    ],
)
def test_binary_data_must_be_what_is_told(port, parameters, data, words):
    body, headers = binary(parameters, data)
    refused(port, body, 400, words, headers)


@pytest.mark.parametrize("raw", [b"\x05\0\0\0abc", b"\x01\0", b"\xff" * 9])
def test_lengths_of_images_must_fit(port, raw):
    body, headers = binary(
        {"binary_data_size": len(raw)}, raw, datatype="BYTES", shape=[1]
    )
    refused(port, body, 400, "a length leads past the end", headers)


def test_data_may_be_given_once(port):
    body, headers = binary({"binary_data_size": 240}, PIXELS, data=[1])
    refused(port, body, 400, "give one", headers)


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "99999", "9" * 5000])
def test_the_length_of_the_header_must_be_one(port, length):
    body, _ = binary({"binary_data_size": 240}, PIXELS)
    refused(port, body, 400, LENGTH, {LENGTH: length})


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Content-Encoding": "gzip"}, "Content-Encoding"),
        ({"Content-Type": "image/gif"}, "JPEG or a PNG"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, "--data-binary"),
    ],
)
def test_other_kinds_of_bodies_are_refused(port, headers, words):
    refused(port, json.dumps(GOOD).encode(), 415, words, headers)


@pytest.mark.parametrize(
    "body",
    [
        b"GIF89a" + bytes(20),
        b"RIFF\x24\0\0\0WEBPVP8 ",
        b"a photograph",
        b"images=1",
        json.dumps(tensor()).encode("utf-16"),
        b"\xff\xfe\xfd",
        bytes(9),
    ],
)
def test_what_is_neither_json_nor_a_picture_is_refused(port, body):
    kind = {"Content-Type": "text/plain"}
    for headers in (None, kind):
        refused(port, body, 415, "neither JSON in UTF-8 nor a JPEG", headers)


@pytest.mark.parametrize("top", ["0", "-1", "x", "%0a"])
def test_a_number_of_classes_must_be_one(port, top):
    data = base64.b64decode(CUT)
    status, answer = post(port, data, f"{INFER}?top={top}")
    assert status == 400 and "`top`" in answer["error"]


def test_no_more_of_a_body_is_read_than_it_may_have(port):
    """Also of one that does not say how long it is."""

    def parts():
        for _ in range(1000):
            yield b" " * 1000

    status, _, body = send(port, "POST", INFER, parts())
    assert status == 413 and b"20,000 bytes" in body


def test_too_many_requests_are_asked_to_come_again(monkeypatch):
    monkeypatch.setattr("keras_csg.serving.service.MOST_REQUESTS", 0)
    with stand_in.served() as server:
        status, headers, body = send(
            server.port, "POST", INFER, json.dumps(GOOD)
        )
    assert status == 503 and headers["Retry-After"]
    assert b"ask again later" in body


def test_no_more_waits_than_fits_into_memory(monkeypatch):
    monkeypatch.setattr(http_app, "HELD", 0)
    with stand_in.served() as server:
        refused_once = post(server.port, GOOD)
    assert refused_once == (503, {"error": "Too much waits: ask again later."})


def test_whole_numbers_that_are_written_as_floats_are_taken(port):
    status, answer = post(port, tensor(datatype="UINT8", data=[7.0] * 60))
    assert status == 200
    data = tensor(datatype="UINT8", data=[7] * 60)
    assert answer["outputs"] == post(port, data)[1]["outputs"]
