"""Workers that end by themselves are replaced, but not for ever."""

import contextlib
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
