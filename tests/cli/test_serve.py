"""`keras-csg serve` in a process of its own: it begins, answers and ends."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from unittest import mock

import pytest

import keras_csg
from tests.deployment.trained import trained_classifier

for needed in ("starlette", "uvicorn", "prometheus_client", "grpc"):
    pytest.importorskip(needed, reason="pip install 'keras-csg[server]'")

FREE = ["--port", "0", "--grpc-port", "0"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "bugs.onnx"
    keras_csg.export(trained_classifier(), path)
    return path


def start(file, *options):
    """Starts it, and waits for its address; returns process and address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "keras_csg_cli.main", "serve", file]
        + [*FREE, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    address = server.stdout.readline().strip()
    assert address, server.communicate()[1]
    return server, address


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def refused(url):
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(url, b"{", timeout=30)
    raised.value.close()
    return raised.value.code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_seconds(file, number):
    server, address = start(file)
    assert json.loads(get(address))["name"] == "bugs"
    assert refused(f"{address}/infer") == 400
    began = time.monotonic()
    server.send_signal(number)
    out, err = server.communicate(timeout=30)
    assert server.returncode == 0
    assert time.monotonic() - began < 10
    assert out == ""
    serving, mistake = err.splitlines()
    assert serving.startswith(f"Serving {file}")
    assert mistake.startswith("Refused over http, 400: The request is no JSON")


def test_a_second_signal_ends_it_at_once():
    """Whatever the first one waits for."""
    code = (
        "import threading, time\n"
        "from keras_csg.serving.signals import ending\n"
        "event = threading.Event()\n"
        "with ending(event):\n"
        "    print('begun', flush=True)\n"
        "    event.wait()\n"
        "    print('first', flush=True)\n"
        "    time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "first\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == -signal.SIGTERM
    process.stdout.close()


def test_a_worker_that_cannot_start_is_said(run_cli, file, tmp_path):
    broken = tmp_path / "broken.onnx"
    # Its metadata can be read: what a node computes has another name.
    broken.write_bytes(
        file.read_bytes().replace(b"\x22\x04Conv", b"\x22\x04Cnov")
    )
    assert broken.read_bytes() != file.read_bytes()
    options = [*FREE, "--workers", "2"]
    code, out, err = run_cli("serve", broken, *options)
    assert (code, out) == (2, "")
    assert "A worker did not start" in err
    assert "Traceback" not in err and "is damaged" in err


def test_it_needs_no_tensorflow(file):
    code = (
        "import sys\n"
        "sys.modules['tensorflow'] = None\n"
        "import keras_csg\n"
        f"with keras_csg.serve({str(file)!r}, port=0, grpc_port=0, log=None, "
        "block=False) as s: pass\n"
        "sys.exit('keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_workers_share_the_ports_and_the_figures(file):
    server, address = start(file, "--workers", "2")
    base = address.partition("/v2")[0]
    for _ in range(20):
        assert refused(f"{address}/infer") == 400
    text = get(f"{base}/metrics").decode()
    assert 'keras_csg_requests_total{protocol="http"} 20.0' in text
    children = children_of(server.pid)
    assert len(children) == 2
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=60)
    assert server.returncode == 0
    assert not [pid for pid in children if parent_of(pid)]


@pytest.mark.slow
def test_no_worker_is_left_when_the_server_is_killed(file):
    server, address = start(file, "--workers", "2")
    children = children_of(server.pid)
    assert len(children) == 2
    server.kill()
    server.communicate(timeout=30)  # Which waits for whoever writes there.
    end = time.monotonic() + 30
    while any(map(parent_of, children)):
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(urllib.error.URLError, match="refused"):
        get(address)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_until_too_often(file):
    server, address = start(file, "--workers", "2")
    assert "Serving" in server.stderr.readline()
    killed, lines = set(), []
    end = time.monotonic() + 120
    while server.poll() is None and time.monotonic() < end:
        new = set(children_of(server.pid)) - killed
        if not new:
            time.sleep(0.05)
            continue
        os.kill(int(min(new)), signal.SIGKILL)
        killed.add(min(new))
        if len(killed) == 1:  # The other one answers.
            assert json.loads(get(address))["name"] == "bugs"
        if len(killed) <= 5:
            lines.append(server.stderr.readline())
    _, err = server.communicate(timeout=30)
    assert all("takes its place" in line for line in lines)
    (line,) = err.splitlines()
    assert line.startswith("Error: Worker") and "is not replaced" in line
    assert server.returncode == 2


def test_a_server_that_ends_by_itself_is_one_line(run_cli, served):
    served.model.wait.side_effect = RuntimeError("It ended by itself.")
    code, _, err = run_cli("serve", "bugs.onnx")
    assert (code, err) == (2, "Error: It ended by itself.\n")


def children_of(pid):
    found = filter(str.isdecimal, os.listdir("/proc"))
    return [other for other in found if parent_of(other) == str(pid)]


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[1]
    except OSError:
        return None


@pytest.fixture
def served():
    """What the library is asked for, and a model that ends at once."""
    model = mock.Mock(url="http://127.0.0.1:7999/v2/models/bugs")
    with mock.patch("keras_csg.commands.serve", return_value=model) as serve:
        serve.model = model
        yield serve


def test_the_address_is_all_that_goes_to_stdout(run_cli, served):
    code, out, _ = run_cli("serve", "bugs.onnx", "--grpc-port", "none")
    assert code == 0
    assert out == "http://127.0.0.1:7999/v2/models/bugs\n"
    assert served.model.wait.called
    (source,), settings = served.call_args
    assert source == "bugs.onnx"
    assert settings.pop("log") and settings.pop("block") is False
    assert settings == {
        "name": None,
        "host": "127.0.0.1",
        "port": 8080,
        "grpc_port": None,
        "threads": None,
        "workers": 1,
        "max_batch_size": 64,
        "max_body": None,
        "max_pixels": 5 * 10**7,
        "trust": False,
    }


def test_gRPC_has_a_port_if_nobody_says(run_cli, served):  # noqa: N802
    run_cli("serve", "bugs.onnx")
    assert served.call_args[1]["grpc_port"] == 8081


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/where.onnx"], "neither an exported model nor a run"),
        (["weights:none", *FREE], "none"),
        (["{file}", "--port", "x"], "--port"),
        (["{file}", "--grpc-port", "70000"], "--grpc-port"),
        (["{file}", "--grpc-port", "x"], "'x' is no port in 0..65535, nor no"),
        (["{file}", "--workers", "0"], "--workers"),
        (["{file}", *FREE, "--host", "192.0.2.1"], "--host"),
        (["{file}", *FREE, "--name", "a/b"], "--name"),
        (["{file}", *FREE, "--max-body", "10"], "--max-body must be at least"),
    ],
)
def test_a_mistake_is_one_line(run_cli, file, arguments, words):
    arguments = [text.replace("{file}", str(file)) for text in arguments]
    code, out, err = run_cli("serve", *arguments)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert words in line


def test_a_port_that_is_taken_is_one_line(run_cli, file):
    server, address = start(file)
    port = address.partition("/v2")[0].rpartition(":")[2]
    code, _, err = run_cli("serve", file, "--port", port, "--grpc-port", "none")
    server.terminate()
    server.communicate(timeout=30)
    assert code == 2
    assert err.startswith(f"Error: Cannot listen at 127.0.0.1, port {port}")
