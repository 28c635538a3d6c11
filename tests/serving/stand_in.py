"""A model that is quickly asked, and what it answers by hand."""

import contextlib
import http.client
import json
import threading

import numpy as np
import pytest

from keras_csg.deployment import ExportedAnswers, Metadata

for needed in ("starlette", "uvicorn", "prometheus_client", "grpc"):
    pytest.importorskip(needed, reason="pip install 'keras-csg[server]'")

from keras_csg.serving.server import ModelServer  # noqa: E402
from keras_csg.serving.settings import ServerSettings  # noqa: E402

SHAPE = (4, 5, 3)
NAMES = ["red", "green", "blue\n<b>"]
NAME = "colours"
OUTPUTS = ("probabilities", "class_id", "heatmap")


class Colours(ExportedAnswers):
    """Tells the share of each colour; waits where `go_on` is not set."""

    def __init__(self, dtype="float32", shape=SHAPE, **changes):
        self.metadata = Metadata(
            **{
                "format": "onnx",
                "backbone": "none",
                "class_names": NAMES,
                "input": {
                    "name": "images",
                    "shape": (None, *shape),
                    "dtype": dtype,
                    "range": [0, 255],
                    "color": "RGB",
                    "layout": "NHWC",
                },
                "outputs": dict.fromkeys(
                    answers_by_hand(np.ones((1, 1, 1, 3)))
                ),
            }
            | changes
        )
        self.runtime = "none"
        self.batches = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Event()

    def _run(self, images):
        self.begun.set()
        self.go_on.wait(30)
        self.batches.append(len(images))
        if (images == 13).all():
            raise ArithmeticError("thirteen\nlines")
        return answers_by_hand(images)


def answers_by_hand(images):
    """What `Colours` answers."""
    images = np.asarray(images, "float64")
    sums = images.sum(axis=(1, 2)) + 1
    shares = sums / sums.sum(axis=1, keepdims=True)
    return {
        "probabilities": shares.astype("float32"),
        "class_id": shares.argmax(axis=1).astype("int32"),
        "heatmap": (images.mean(axis=-1) / 255).astype("float32"),
    }


def some_images(count, seed=0, dtype="float32"):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *SHAPE)).astype(dtype)


def settings_of(**settings):
    """What the server of a test is told."""
    return ServerSettings(
        **{
            "path": "colours.onnx",
            "name": NAME,
            "version": "3",
            "host": "127.0.0.1",
            "port": 0,
            "grpc_port": None,
            "threads": None,
            "max_batch_size": 8,
            "max_body": 20_000,
            "max_pixels": 10_000,
        }
        | settings
    )


@contextlib.contextmanager
def served(exported=None, lines=None, **settings):
    """Gives a server of a model in this process."""
    exported = Colours() if exported is None else exported
    settings = settings_of(**settings)
    log = [].append if lines is None else lines.append
    server = ModelServer(settings, lambda: exported, log)
    try:
        yield server
    finally:
        if isinstance(exported, Colours):
            exported.go_on.set()
        server.close()


INFER = f"/v2/models/{NAME}/infer"


def send(port, method, path, body=None, headers=None):
    """Returns status, headers and body of an answer over HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def get(port, path):
    status, _, body = send(port, "GET", path)
    return status, json.loads(body)


def post(port, body, path=INFER, headers=None):
    """Asks in JSON, or in bytes; returns the status and what JSON says."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    status, _, answer = send(port, "POST", path, body, headers)
    return status, json.loads(answer)


def as_json(images, datatype="FP32", **changes):
    tensor = {
        "name": "images",
        "shape": list(images.shape),
        "datatype": datatype,
        "data": images.tolist(),
    }
    return {"inputs": [tensor | changes]}


def arrays(answer):
    """Returns the outputs of an answer in JSON, by their names."""
    return {
        output["name"]: np.array(output["data"]).reshape(output["shape"])
        for output in answer["outputs"]
    }


def check(found, images):
    expected = answers_by_hand(images)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)
