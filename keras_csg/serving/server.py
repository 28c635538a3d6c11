"""Starts a server and ends it, without losing a request."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn

from keras_csg.deployment.formats.base import ExportedAnswers
from keras_csg.serving.grpc_service import make_grpc_server
from keras_csg.serving.http_app import HttpApp
from keras_csg.serving.log_lines import LogLines, few_records
from keras_csg.serving.service import Service
from keras_csg.serving.settings import ServerSettings
from keras_csg.serving.sockets import BACKLOG, bound_socket, joined, taken

DRAIN_SECONDS = 20
"""How long requests that came before the end may take to be answered."""
PARTING_SECONDS = 0.5
"""How long clients that ask one thing after another are told to go."""
COMING_SHARE = 0.8
"""Share of it in which what is still coming has to come."""
THREADS = 64
"""Requests of a protocol that are read, wait and are written at a time."""


class ModelServer:
    """A model that is being served, until it is closed.

    Args:
        settings: `ServerSettings`.
        open_model: callable that returns what `keras_csg.open_exported` does.
            Health is answered while it runs.
        log: callable that takes a line.

    Attributes:
        port: int, of HTTP.
        grpc_port: int; `None` without gRPC.

    Raises:
        ValueError: if it cannot listen there, or the model cannot be opened.
    """

    def __init__(
        self,
        settings: ServerSettings,
        open_model: Callable[[], ExportedAnswers],
        log: Callable[[str], Any] = lambda text: None,
    ):
        lines = LogLines(log)
        self.service = Service(
            settings.name,
            settings.version,
            max_batch_size=settings.max_batch_size,
            max_pixels=settings.max_pixels,
            log=lines,
        )
        self._closed = threading.Event()
        with contextlib.ExitStack() as resources:
            resources.enter_context(few_records(lines))
            resources.callback(self.service.close)
            # Whoever listens at a port that others answer at has to answer.
            if settings.shared_ports:
                self.service.load(open_model())
            self.port = self._start_http(settings, resources)
            self.grpc_port = None
            if settings.grpc_port is not None:
                self.grpc_port = self._start_grpc(settings, resources)
            if not settings.shared_ports:
                self.service.load(open_model())
            self._resources = resources.pop_all()

    def close(self) -> None:
        """Refuses what is new, answers what has come, and ends."""
        if self._closed.is_set():
            return
        self._closed.set()
        self.service.begin_to_end()
        self._http.should_exit = True  # Both protocols end at a time.
        self._resources.close()

    def check(self) -> None:
        """Raises if the server ended by itself."""
        if not self._thread.is_alive() and not self._closed.is_set():
            raise RuntimeError("The HTTP server ended by itself.")

    def _start_http(self, settings, resources):
        bound = resources.enter_context(
            bound_socket(settings.host, settings.port, settings.shared_ports)
        )
        try:
            bound.listen(BACKLOG)  # Linux finds here that a port is taken.
        except OSError as error:
            raise ValueError(taken(settings.host, settings.port)) from error
        threads = ThreadPoolExecutor(THREADS, "keras_csg-http")
        resources.callback(threads.shutdown)
        app = HttpApp(self.service, settings.max_body, threads)
        self._http = server = _Uvicorn(
            uvicorn.Config(
                app.asgi,
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            ),
            app,
        )
        self._thread = threading.Thread(
            target=_serve, args=(server, bound), daemon=True
        )
        self._thread.start()

        def stop():
            server.should_exit = True
            self._thread.join()

        resources.callback(stop)
        return bound.getsockname()[1]

    def _start_grpc(self, settings, resources):
        # gRPC itself does not say why it cannot listen.
        bound_socket(
            settings.host, settings.grpc_port, settings.shared_ports
        ).close()
        try:
            server, port = make_grpc_server(
                self.service,
                joined(settings.host, settings.grpc_port),
                settings.max_body,
                THREADS,
                settings.shared_ports,
            )
        except OSError as error:
            text = taken(settings.host, settings.grpc_port)
            raise ValueError(text) from error
        server.start()
        resources.callback(lambda: server.stop(DRAIN_SECONDS).wait())
        return port


class _Uvicorn(uvicorn.Server):
    """Leaves signals to whoever started it, and ends what does not come."""

    def __init__(self, config: uvicorn.Config, app: HttpApp):
        super().__init__(config)
        self._app = app

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield

    async def shutdown(
        self, sockets: list[socket.socket] | None = None
    ) -> None:
        """Answers what has come."""
        self._app.end_by(DRAIN_SECONDS * COMING_SHARE)
        # Clients that keep a connection learn by their next answer that it
        # ends: a request that came as it is closed would be lost.
        until = time.monotonic() + PARTING_SECONDS
        while self.server_state.connections and time.monotonic() < until:
            await asyncio.sleep(PARTING_SECONDS / 50)
        await super().shutdown(sockets)


def _serve(server: uvicorn.Server, bound: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[bound]))
