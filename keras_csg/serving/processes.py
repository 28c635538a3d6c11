"""Several processes that serve a model at one port."""

import collections
import contextlib
import dataclasses
import functools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from keras_csg.serving.metrics import SHARED, forget_process
from keras_csg.serving.server import DRAIN_SECONDS
from keras_csg.serving.settings import ServerSettings
from keras_csg.serving.sockets import bound_socket
from keras_csg.serving.worker import READY

WATCH_SECONDS = 0.5
MOST_RESTARTS = 5
RESTART_SECONDS = 60.0
"""Where more processes end by themselves in this time, they will again."""


class ServerProcesses:
    """A model that several processes serve, until it is closed.

    A process that ends by itself, or is killed, is replaced.

    Args:
        settings: `ServerSettings`.
        workers: int. Number of processes.
        log: callable that takes a line.

    Attributes:
        port: int, of HTTP.
        grpc_port: int; `None` without gRPC.

    Raises:
        ValueError: if it cannot listen there, or a process did not start.
    """

    def __init__(
        self,
        settings: ServerSettings,
        workers: int,
        log: Callable[[str], Any] = lambda text: None,
    ):
        self._log = log
        self._closed = threading.Event()
        self._changing = threading.Lock()
        self._restarts: collections.deque[float] = collections.deque()
        self._failure: str | None = None
        with contextlib.ExitStack() as resources:
            self.port, self.grpc_port = _reserved(settings, resources)
            shared = dataclasses.replace(
                settings,
                port=self.port,
                grpc_port=self.grpc_port,
                shared_ports=True,
            )
            folder = resources.enter_context(
                tempfile.TemporaryDirectory(prefix="keras-csg-metrics-")
            )
            self._start = functools.partial(_start, shared, folder)
            self._folder = folder
            self._processes: list[subprocess.Popen] = []
            resources.callback(self._end)
            for _ in range(workers):
                self._processes.append(self._start())
            for process in self._processes:
                self._wait_until_ready(process)
            watch = threading.Thread(target=self._watch, daemon=True)
            watch.start()
            self._resources = resources.pop_all()

    def close(self) -> None:
        """Ends all processes, each when it has answered what has come."""
        with self._changing:  # So that none is started that is not ended.
            if self._closed.is_set():
                return
            self._closed.set()
        self._resources.close()

    def check(self) -> None:
        """Raises if processes ended by themselves again and again."""
        if self._failure is not None:
            raise RuntimeError(self._failure)

    def _watch(self):
        while self._failure is None and not self._closed.wait(WATCH_SECONDS):
            for place, process in enumerate(self._processes):
                with self._changing:
                    if self._closed.is_set():
                        return
                    if process.poll() is not None:
                        self._replace(place, process)

    def _replace(self, place, ended):
        self._restarts.append(time.monotonic())
        while self._restarts[-1] - self._restarts[0] > RESTART_SECONDS:
            self._restarts.popleft()
        how = f"Worker {ended.pid} ended by itself, with {ended.returncode}"
        try:
            if len(self._restarts) > MOST_RESTARTS:
                raise OSError(
                    f"{len(self._restarts)} workers did within "
                    f"{RESTART_SECONDS:.0f} s"
                )
            process = self._start()
        except OSError as error:
            self._failure = f"{how}, and is not replaced: {error}."
            return
        with contextlib.suppress(OSError):  # What it was still to be told.
            ended.stdin.close()
        forget_process(self._folder, ended.pid)
        self._processes[place] = process
        _read_all(process.stdout)
        self._log(f"{how}; worker {process.pid} takes its place.")

    def _wait_until_ready(self, process):
        if process.stdout.readline().strip() != READY:
            raise ValueError("A worker did not start; see what it says.")
        _read_all(process.stdout)

    def _end(self):
        for process in self._processes:
            with contextlib.suppress(OSError):
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(DRAIN_SECONDS + 5)
            except subprocess.TimeoutExpired:
                self._log(f"Worker {process.pid} did not end; it is killed.")
                process.kill()
                process.wait()
            process.stdout.close()


def _read_all(stream):
    """Reads what nobody wants: a full pipe would stop who writes it."""

    def read():
        with stream:
            stream.read()

    threading.Thread(target=read, daemon=True).start()


def _reserved(settings, resources):
    """Returns ports that this process holds without listening there."""
    ports = []
    for port in (settings.port, settings.grpc_port):
        if port is None:
            ports.append(None)
            continue
        # Alone first: whoever shares its port would let us in unasked.
        bound_socket(settings.host, port).close()
        bound = bound_socket(settings.host, port, shared=True)
        resources.enter_context(bound)
        ports.append(bound.getsockname()[1])
    return ports


def _start(settings, folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_csg.serving.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, SHARED: folder},
        text=True,
        # Ctrl-C in a terminal is for the process that started them.
        start_new_session=True,
    )
    with contextlib.suppress(BrokenPipeError):  # It has ended already.
        process.stdin.write(settings.to_json() + "\n")
        process.stdin.flush()
    return process
