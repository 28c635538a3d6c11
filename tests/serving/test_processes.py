"""Workers that end by themselves are replaced, but not for ever."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.serving import stand_in  # isort: skip

from keras_csg.serving import processes

WAITS = "print('ready', flush=True); import sys; sys.stdin.read()"
ENDS = "print('ready', flush=True); raise SystemExit(7)"


@pytest.fixture
def workers(monkeypatch):
    """Starts two workers that run a line of Python; gives them and the log."""
    monkeypatch.setattr(processes, "WATCH_SECONDS", 0.02)
    with contextlib.ExitStack() as servers:

        def start(code):
            monkeypatch.setattr(
                processes, "_start", lambda settings, folder: stub(code)
            )
            lines = []
            settings = stand_in.settings_of()
            server = processes.ServerProcesses(settings, 2, lines.append)
            servers.callback(server.close)
            return server, lines

        yield start


def stub(code):
    pipes = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)


def wait_until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_one_that_is_killed_is_replaced(workers):
    server, lines = workers(WAITS)
    killed, other = server._processes
    killed.kill()
    wait_until(lambda: lines)
    replacement = server._processes[0]
    assert server._processes[1] is other
    assert lines == [
        f"Worker {killed.pid} ended by itself, with -9; worker "
        f"{replacement.pid} takes its place."
    ]
    server.check()
    assert replacement.poll() is None and other.poll() is None
    server.close()
    assert replacement.returncode == other.returncode == 0


def test_those_that_end_again_and_again_are_not(workers):
    server, lines = workers(ENDS)
    wait_until(lambda: server._failure)
    assert len(lines) == processes.MOST_RESTARTS
    with pytest.raises(
        RuntimeError,
        # The other one may have ended with it.
        match="with 7, and is not replaced: [67] workers did within 60 s",
    ):
        server.check()


def test_old_ends_do_not_count(workers, monkeypatch):
    monkeypatch.setattr(processes, "MOST_RESTARTS", 1)
    monkeypatch.setattr(processes, "RESTART_SECONDS", 0)
    server, lines = workers(WAITS)
    for count in (1, 2, 3):
        server._processes[0].kill()
        wait_until(lambda count=count: len(lines) == count)
    server.check()


# A parent that is killed, and a child of its own that outlives it and has what
# it has open, as `os.fork` leaves it.
PARENT = """
import os, sys, time
from keras_csg.serving import processes
from tests.serving import stand_in
from keras_csg.serving.worker import READY
held, opens = {held}, {opens!r}
settings = stand_in.settings_of(port=int(sys.argv[1]), shared_ports=True)
processes.sys.executable = sys.argv[2]
process = processes._start(settings, sys.argv[3])
holder = os.fork() if held else None
if holder == 0:
    time.sleep(60)
    os._exit(0)
print(holder or 0, process.pid, flush=True)
if opens == "at once":
    assert process.stdout.readline().strip() == READY
print("there", flush=True)
time.sleep(60)
"""
# In place of the interpreter: the worker itself, with a model of its own.
WORKER = """#!{python}
import sys, time
from tests.serving.stand_in import Colours
from keras_csg.serving import opening, worker
def open_to_serve(*about):
    open("{mark}", "w").close()
    time.sleep({seconds})
    return Colours()
opening.open_to_serve = open_to_serve
worker.main()
"""


def write_worker(path, seconds):
    """Writes a worker whose model takes some seconds to load."""
    mark = path.with_name("loading")
    path.write_text(
        WORKER.format(python=sys.executable, mark=mark, seconds=seconds)
    )
    path.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
def test_one_that_loads_takes_no_request_of_the_others(tmp_path, monkeypatch):
    worker = tmp_path / "worker"
    write_worker(worker, 2)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr(processes.sys, "executable", str(worker))
    monkeypatch.setattr(processes, "WATCH_SECONDS", 0.02)
    lines = []
    server = processes.ServerProcesses(stand_in.settings_of(), 2, lines.append)
    with contextlib.closing(server):
        killed = server._processes[0]
        killed.kill()
        killed.wait()
        wait_until(lambda: lines)
        end, answered = time.monotonic() + 2, 0
        while time.monotonic() < end:
            # A connection each, so that the system chooses who takes it.
            client = http.client.HTTPConnection("127.0.0.1", server.port)
            with contextlib.closing(client):
                client.request("GET", "/v2/health/ready")
                assert client.getresponse().status == 200
            answered += 1
        assert answered > 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
@pytest.mark.parametrize(
    "opens, held", [("at once", False), ("late", False), ("at once", True)]
)
def test_no_worker_is_left_when_the_parent_is_killed(tmp_path, opens, held):
    worker = tmp_path / "worker"
    write_worker(worker, 0 if opens == "at once" else 60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = PARENT.format(held=held, opens=opens)
    args = [str(port), str(worker), str(tmp_path)]
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    holder, pid = parent.stdout.readline().split() or ("", "")
    assert holder and parent.stdout.readline(), parent.communicate()[1]
    if opens == "late":  # It looks after its parent from before it loads.
        wait_until((tmp_path / "loading").exists)
    # It listens when it has loaded.
    assert is_taken(port) == (opens == "at once") and is_running(pid)
    parent.kill()
    parent.wait()
    try:
        wait_until(lambda: not is_taken(port) and not is_running(pid))
    finally:
        if int(holder):
            os.kill(int(holder), signal.SIGKILL)
    assert "Traceback" not in parent.communicate()[1]


def is_running(pid):
    """Whether there is such a process, and not only what is left of it."""
    asked = ["ps", "-o", "stat=", "-p", pid]
    state = subprocess.run(asked, capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def is_taken(port):
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
