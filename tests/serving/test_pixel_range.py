"""Tensors outside the range of the input are the client's fault."""

import numpy as np
import pytest

from tests.serving import stand_in
from tests.serving.stand_in import as_json, post
from tests.serving.test_grpc import asking, raw

import grpc  # isort: skip


WORDS = "Pixels of input 'images' must be in 0..255"


@pytest.fixture(scope="module")
def server():
    lines = []
    with stand_in.served(lines=lines, grpc_port=0) as server:
        server.lines = lines
        yield server


@pytest.mark.parametrize("low, high", [(300, 555), (-20, 100), (0, 1e38)])
def test_over_http_they_are_a_400(server, low, high):
    images = np.linspace(low, high, 60, dtype="float32")
    images = images.reshape(1, *stand_in.SHAPE)
    status, answer = post(server.port, as_json(images))
    assert status == 400 and WORDS in answer["error"]
    assert "\n" not in answer["error"]


def test_over_grpc_they_are_an_invalid_argument(server):
    images = stand_in.some_images(1) + 300
    with asking(server) as ask, pytest.raises(grpc.RpcError) as raised:
        ask("ModelInfer", **raw(images))
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert WORDS in raised.value.details()


def test_what_rounding_leaves_is_answered(server):
    images = stand_in.some_images(1)
    images[0, 0, 0] = [255.5, -0.5, 0]
    assert post(server.port, as_json(images))[0] == 200


def test_pixels_in_0_to_1_are_said_once(server):
    images = stand_in.some_images(1) / 255
    for _ in range(3):
        assert post(server.port, as_json(images))[0] == 200
    (line,) = [line for line in server.lines if "these are black" in line]
    assert "0..255" in line
