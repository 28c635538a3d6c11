"""A size that the model cannot take is the client's own choice."""

import grpc
import numpy as np
import pytest

import keras_csg
from tests.deployment.test_sizes import unpadded_backbone
from tests.deployment.trained import trained_classifier
from tests.serving import stand_in
from tests.serving.stand_in import as_json, post, send
from tests.serving.test_grpc import asking, raw


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "any.onnx"
    keras_csg.export(trained_classifier(unpadded_backbone()), path)
    return keras_csg.open_exported(path)


def black(side):
    return np.zeros((1, side, side, 3), "float32")


def test_it_is_refused_over_http_and_grpc_in_silence(exported, capfd):
    lines = []
    with stand_in.served(exported, lines, grpc_port=0) as server:
        status, answer = post(server.port, as_json(black(1)))
        assert status == 400
        assert answer["error"] == "the model takes no image of 1x1"
        with asking(server) as ask, pytest.raises(grpc.RpcError) as raised:
            ask("ModelInfer", **raw(black(2)))
        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert raised.value.details() == "the model takes no image of 2x2"
        assert post(server.port, as_json(black(3)))[0] == 200
        _, _, metrics = send(server.port, "GET", "/metrics")
    for protocol in ("http", "grpc"):
        for whose, count in (("client", "1.0"), ("server", "0.0")):
            counted = f'{{protocol="{protocol}",whose="{whose}"}} {count}'
            assert f"failures_total{counted}" in metrics.decode()
    refused = [line for line in lines if line.startswith("Refused over")]
    assert len(refused) == 2
    assert not any(line.startswith("Failed") for line in lines)
    assert capfd.readouterr() == ("", "")
