"""An exported file in a real inference server, and how it is asked."""

import collections
import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.deployment import answering_model

NEEDS = (
    "server and client need an older protobuf: `make test-server`, or "
    "`pip install 'keras-csg[server]'`"
)
client = pytest.importorskip("tritonclient.http.aio", reason=NEEDS)

ROOT = pathlib.Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "serve_with_kserve"
NAME = "digits"
MOST_IMAGES = 32

Served = collections.namedtuple("Served", "port grpc_port path images expected")


@contextlib.contextmanager
def running_server(folder):
    """A quickly trained network in the server, and what Keras says."""
    model, images = trained_classifier()
    path = folder / "digits.onnx"
    keras_csg.export(model, path, images=images[:16])
    expected = answering_model(model).predict(images, verbose=0)
    port, grpc_port = free_ports(2)
    command = [sys.executable, EXAMPLE / "serve.py", path]
    command += ["--model_name", NAME, "--max_batch_size", MOST_IMAGES]
    command += ["--http_port", port, "--grpc_port", grpc_port]
    log = folder / "server.log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            list(map(str, command)), stdout=stream, stderr=stream
        )
        try:
            wait_until_ready(server, port, log)
            yield Served(port, grpc_port, path, images, expected)
            assert server.poll() is None, log.read_text()[-2000:]
        finally:
            server.terminate()
            server.wait(timeout=60)


def free_ports(count):
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def trained_classifier():
    """Trains on the digits for long enough that answers differ."""
    keras.utils.set_random_seed(0)
    data = keras_csg.load_data("digits")
    images, labels = data.train.images_and_labels(512)
    images = images.astype("float32")
    model = keras_csg.build("resnet20", num_classes=10)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(images, labels, batch_size=32, epochs=3, verbose=0)
    return model, images[:64]


def wait_until_ready(server, port, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if get(port, "v2/health/ready")["ready"]:
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail(f"The server did not start: {log.read_text()[-2000:]}")


def get(port, path):
    url = f"http://127.0.0.1:{port}/{path}"
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


def connect(served):
    return client.InferenceServerClient(f"127.0.0.1:{served.port}")


def requested(served):
    return [client.InferRequestedOutput(name) for name in served.expected]


async def ask(connection, served, images, datatype="FP32"):
    tensor = client.InferInput("images", list(images.shape), datatype)
    tensor.set_data_from_numpy(images)
    return await connection.infer(NAME, [tensor], outputs=requested(served))


def check(served, rows, answer):
    """Holds every output of an answer against Keras's for these rows."""
    for name, expected in served.expected.items():
        got = answer.as_numpy(name)
        assert got.shape == expected[rows].shape, name
        np.testing.assert_allclose(
            got, expected[rows], rtol=0, atol=1e-4, err_msg=name
        )
