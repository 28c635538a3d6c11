"""A server with an exported file answers as Keras does, whoever asks it."""

import asyncio
import importlib.util
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tests.deployment.server import (
    EXAMPLE,
    MOST_IMAGES,
    NAME,
    NEEDS,
    ask,
    check,
    connect,
    get,
    running_server,
)

grpc_client = pytest.importorskip("tritonclient.grpc", reason=NEEDS)
utils = pytest.importorskip("tritonclient.utils", reason=NEEDS)

pytestmark = [
    pytest.mark.slow,
    # Not imported here: its messages have the names of the client's, and one
    # process cannot hold both.
    pytest.mark.skipif(
        importlib.util.find_spec("kserve") is None,
        reason=NEEDS,
    ),
]

CLIENTS = 8
REQUESTS = 2000


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("served")) as server:
        yield server


def test_the_answers_checked_here_are_not_all_the_same(served):
    assert len(set(served.expected["class_id"])) >= 5
    probabilities = np.sort(served.expected["probabilities"], axis=1)
    # A class that is a matter of rounding would tell nothing.
    assert (probabilities[:, -1] - probabilities[:, -2]).min() > 1e-4


def test_server_describes_the_model(served):
    described = get(served.port, f"v2/models/{NAME}")
    assert described["inputs"] == [
        {"name": "images", "datatype": "FP32", "shape": [-1, 32, 32, 3]}
    ]
    outputs = {o["name"]: o for o in described["outputs"]}
    assert set(outputs) == set(served.expected)
    assert outputs["class_id"]["datatype"] == "INT32"
    assert outputs["probabilities"]["shape"] == [-1, 10]


def test_two_thousand_requests_from_eight_clients(served, capsys):
    """None is lost, none answered with another's answer."""
    answers, seconds = [], []

    async def one_client(number):
        async with connect(served) as connection:
            for turn in range(REQUESTS // CLIENTS):
                row = (number * 13 + turn) % len(served.images)
                start = time.perf_counter()
                answer = await ask(
                    connection, served, served.images[row : row + 1]
                )
                seconds.append(time.perf_counter() - start)
                answers.append((row, answer))

    async def all_clients():
        await asyncio.gather(*map(one_client, range(CLIENTS)))

    start = time.perf_counter()
    asyncio.run(all_clients())
    elapsed = time.perf_counter() - start
    assert len(answers) == REQUESTS
    for row, answer in answers:
        check(served, slice(row, row + 1), answer)
    rate, direct = REQUESTS / elapsed, direct_rate(served)
    p50, p99 = 1000 * np.percentile(seconds, [50, 99])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{REQUESTS} requests, {CLIENTS} clients: {rate:.0f} requests/s,"
            f" p50 {p50:.1f} ms, p99 {p99:.1f} ms; ONNX Runtime called "
            f"directly: {direct:.0f} images/s; protocol, client and server: "
            f"{1 - rate / direct:.0%} of a request\n"
        )


def direct_rate(served, repetitions=50):
    """Images a second in ONNX Runtime itself, a batch for all clients."""
    import onnxruntime

    session = onnxruntime.InferenceSession(served.path)
    batch = {"images": served.images[:CLIENTS]}
    session.run(None, batch)
    start = time.perf_counter()
    for _ in range(repetitions):
        session.run(None, batch)
    return repetitions * CLIENTS / (time.perf_counter() - start)


def test_requests_of_any_size_get_their_own_rows_back(served):
    async def one_client(number):
        async with connect(served) as connection:
            for turn in range(12):
                size = 1 + (5 * number + 7 * turn) % MOST_IMAGES
                rows = slice(number, number + size)
                answer = await ask(connection, served, served.images[rows])
                check(served, rows, answer)

    async def all_clients():
        await asyncio.gather(*map(one_client, range(CLIENTS)))

    asyncio.run(all_clients())


BAD = {
    "shape": (np.zeros((1, 16, 32, 3), "float32"), "FP32", r"-1, 32, 32, 3"),
    "rank": (np.zeros((32, 32, 3), "float32"), "FP32", r"-1, 32, 32, 3"),
    "dtype": (np.zeros((1, 32, 32, 3), "uint8"), "UINT8", "must be FP32"),
    "size": (np.zeros((33, 32, 32, 3), "float32"), "FP32", "1 to 32 images"),
    "empty": (np.zeros((0, 32, 32, 3), "float32"), "FP32", "1 to 32 images"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_refused_and_harms_no_other(served, case):
    images, datatype, message = BAD[case]

    async def mixed():
        async with connect(served) as one, connect(served) as other:
            return await asyncio.gather(
                *[
                    ask(one, served, served.images[row : row + 1])
                    for row in range(CLIENTS)
                ],
                ask(other, served, images, datatype),
                return_exceptions=True,
            )

    *good, bad = asyncio.run(mixed())
    assert isinstance(bad, utils.InferenceServerException)
    assert bad.status() == "400"
    assert message in bad.message() and "\n" not in bad.message()
    for row, answer in enumerate(good):
        check(served, slice(row, row + 1), answer)
    assert get(served.port, "v2/health/ready")["ready"]


@pytest.mark.parametrize(
    "tensor",
    [
        {"name": "pixels", "datatype": "FP32", "shape": [1, 32, 32, 3]},
        {"name": "images", "datatype": "FP32", "shape": [1, 32, 32, 3]},
        {"name": "images", "datatype": "WORDS", "shape": [1, 32, 32, 3]},
    ],
    ids=["name", "too little data", "datatype"],
)
def test_a_malformed_request_is_refused(served, tensor):
    body = json.dumps({"inputs": [{**tensor, "data": [1, 2, 3]}]}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{served.port}/v2/models/{NAME}/infer",
        body,
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=30)
    with raised.value as response:
        assert response.code == 400
        assert "\n" not in json.load(response)["error"]
    assert get(served.port, "v2/health/ready")["ready"]


def test_grpc_gives_the_same_answers_and_refusals(served):
    def tensor(images, datatype):
        given = grpc_client.InferInput("images", images.shape, datatype)
        given.set_data_from_numpy(images)
        return given

    url = f"127.0.0.1:{served.grpc_port}"
    with grpc_client.InferenceServerClient(url) as server:
        answer = server.infer(NAME, [tensor(served.images[:3], "FP32")])
        check(served, slice(0, 3), answer)
        names = answer.get_response().parameters["class_names"].string_param
        classes = served.expected["class_id"][:3]
        assert json.loads(names) == [str(number) for number in classes]
        wrong = tensor(served.images[:1].astype("uint8"), "UINT8")
        with pytest.raises(utils.InferenceServerException) as raised:
            server.infer(NAME, [wrong])
        assert "INVALID_ARGUMENT" in raised.value.status()
        assert "must be FP32" in raised.value.message()
        assert server.is_model_ready(NAME)


def test_example_client_names_the_class(served, tmp_path):
    path = tmp_path / "digit.png"
    Image.fromarray(served.images[5].astype("uint8")).save(path)
    command = [sys.executable, EXAMPLE / "ask.py", NAME, path, path]
    command += ["--url", f"127.0.0.1:{served.grpc_port}"]
    lines = subprocess.run(
        list(map(str, command)),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout.splitlines()
    probabilities = served.expected["probabilities"][5]
    agreement = served.expected["gate_agreement"][5]
    line = (
        f"{path}: {probabilities.argmax()}, probability "
        f"{probabilities.max():.3f}, its own filters alone {agreement:.3f}"
    )
    assert lines == [line, line]
