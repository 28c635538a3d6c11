"""What requests in JSON take of memory while they are read."""

import pathlib

import pytest

from keras_csg.serving import json_codec
from tests.serving import stand_in
from tests.serving.stand_in import as_json, post, some_images

STATUS = pathlib.Path("/proc/self/status")
RESET = pathlib.Path("/proc/self/clear_refs")
needs_linux = pytest.mark.skipif(
    not RESET.exists(), reason="/proc says how much memory was taken"
)
HEAD = (
    b'{"inputs":[{"name":"images","shape":[1,4,5,3],"datatype":"FP32","data":['
)
MB = 10**6


def peak():
    """Returns the most bytes that the process had since `reset`."""
    (line,) = (
        line
        for line in STATUS.read_text().splitlines()
        if line.startswith("VmHWM")
    )
    return int(line.split()[1]) * 1024


def asked(server, count, number=b"0.5"):
    """Asks with many numbers; returns the answer and the bytes it took."""
    body = HEAD + (number + b",") * (count - 1) + number + b"]}]}"
    RESET.write_text("5")
    before = peak()
    answer = post(server.port, body)
    return answer, peak() - before, len(body)


@pytest.fixture(scope="module")
def server():
    with stand_in.served(max_body=100 * MB) as server:
        post(server.port, as_json(some_images(1)))
        yield server


@needs_linux
def test_many_numbers_are_refused_before_they_are_made(server):
    (status, answer), took, size = asked(server, 20_000_000)
    assert size > 80 * MB  # Of them as objects: 640 MB.
    assert took < 160 * MB
    assert status == 413
    assert answer["error"].startswith("A request may have 4,194,304 values in")
    assert "binary" in answer["error"]


@needs_linux
def test_as_many_as_may_be_take_what_they_need(server):
    (status, answer), took, size = asked(server, 4_000_000)
    assert status == 400 and "has 4000000 numbers" in answer["error"]
    # Twice the text, 32 bytes a number in a list, 16 in arrays.
    assert took < 2 * size + 48 * 4_000_000 + 32 * MB


@pytest.mark.parametrize(
    "many, status",
    [
        ("0," * 199, 400),
        ("0," * 200, 413),
        ("[],[]," * 60, 413),
        ("{" * 201, 413),
    ],
)
def test_values_are_counted_whatever_they_are_in(many, status, monkeypatch):
    monkeypatch.setattr(json_codec, "LARGE", 0)
    monkeypatch.setattr(json_codec, "MOST_VALUES", 200)
    with pytest.raises(json_codec.RequestError) as raised:
        json_codec.read_request(f'{{"inputs": {many}'.encode())
    assert raised.value.status == status
