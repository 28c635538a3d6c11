"""Several processes that serve a model at one port."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from keras_csg.serving.metrics import SHARED
from keras_csg.serving.server import DRAIN_SECONDS
from keras_csg.serving.settings import ServerSettings
from keras_csg.serving.sockets import bound_socket
from keras_csg.serving.worker import READY


class ServerProcesses:
    """A model that several processes serve, until it is closed.

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
            self._processes = []
            resources.callback(self._end)
            for _ in range(workers):
                self._processes.append(_start(shared, folder))
            for process in self._processes:
                self._wait_until_ready(process)
            self._resources = resources.pop_all()

    def close(self) -> None:
        """Ends all processes, each when it has answered what has come."""
        if not self._closed.is_set():
            self._closed.set()
            self._resources.close()

    def check(self) -> None:
        """Raises if a process ended by itself."""
        for process in self._processes:
            if process.poll() is not None:
                raise RuntimeError(
                    f"Worker {process.pid} ended by itself, with "
                    f"{process.returncode}."
                )

    def _wait_until_ready(self, process):
        if process.stdout.readline().strip() != READY:
            raise ValueError("A worker did not start; see what it says.")
        # It writes nothing more, and a full pipe would stop it if it did.
        threading.Thread(target=process.stdout.read, daemon=True).start()

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
    process.stdin.write(settings.to_json() + "\n")
    process.stdin.flush()
    return process
