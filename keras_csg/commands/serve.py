import contextlib
import importlib.util
import os
import pathlib
import tempfile
import threading
import urllib.parse
from collections.abc import Callable
from typing import Any

from keras_csg.arguments import MOST, whole_number
from keras_csg.choices import WEIGHTS_PREFIX
from keras_csg.commands.arguments import (
    check_count,
    check_flag,
    check_path,
    check_text,
    logger,
)
from keras_csg.commands.input_error import InputError, input_errors
from keras_csg.deployment.opening import read_metadata
from keras_csg.files import at_home
from keras_csg.serving.bodies import body_of_batch, check_body
from keras_csg.serving.opening import VERSION, name_and_version, open_to_serve
from keras_csg.serving.settings import ServerSettings
from keras_csg.serving.signals import ending
from keras_csg.serving.sockets import can_share_ports, is_loopback, joined

HIGHEST_PORT = 65535
MAX_PIXELS = 5 * 10**7
PACKAGES = ("starlette", "uvicorn", "prometheus_client")
NEEDS = "Serving needs {}: pip install 'keras-csg[server]'"
ALONE = "Several `workers` need a system on which processes can share a port."


class ServedModel:
    """A model that is being served, until it is closed.

    It is a context manager, too.

    Attributes:
        url: str. Address of the model over HTTP.
        grpc_address: str, host and port; `None` without gRPC.
    """

    def __init__(
        self, settings: ServerSettings, server: Any, resources: Any
    ) -> None:
        self._server = server
        self._resources = resources
        self._ended = threading.Event()
        host = settings.host
        base = f"http://{joined(host, server.port)}"
        self.url = f"{base}/v2/models/{urllib.parse.quote(settings.name)}"
        self.grpc_address: str | None = None
        if server.grpc_port is not None:
            self.grpc_address = joined(host, server.grpc_port)

    def wait(self) -> None:
        """Serves until Ctrl-C or SIGTERM, and closes it.

        Requests that have come are answered first, for up to 20 seconds. A
        second signal ends the process at once.

        Raises:
            RuntimeError: if the server ended by itself; of several workers
                if they do so again and again, since one is replaced.
        """
        with ending(self._ended):
            try:
                # In steps: a signal does not end an endless wait everywhere.
                while not self._ended.wait(1):
                    self._server.check()
            finally:
                self.close()

    def close(self) -> None:
        """Answers the requests that have come, and stops serving."""
        self._ended.set()
        self._server.close()
        self._resources.close()

    def __enter__(self) -> "ServedModel":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def serve(
    source: str | os.PathLike,
    *,
    name: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
    grpc_port: int | None = 8081,
    threads: int | None = None,
    workers: int = 1,
    max_batch_size: int = 64,
    max_body: int | None = None,
    max_pixels: int = MAX_PIXELS,
    trust: bool = False,
    log: Callable[[str], Any] | None = print,
    block: bool = True,
) -> ServedModel:
    """Serves a model on the Open Inference Protocol V2.

    Over HTTP and gRPC, to this machine alone unless `host` says otherwise.
    Requests that come while the model is busy are joined into one batch. An
    exported file is served without TensorFlow, unless it is a SavedModel.

    Args:
        source: path of an exported file or folder; or of a run directory or a
            `.keras` file, or `weights:NAME`, which is exported to ONNX first,
            with the detector that was saved with the run, into a folder that
            is removed at the end.
        name: str. What clients call the model; `None` for the file's name, or
            the run's.
        host: str. Address to listen at.
        port: int in 0..65535, for HTTP; 0 for a free one.
        grpc_port: int in 0..65535; `None` for no gRPC.
        threads: int, at least 1. Threads that compute a batch; `None` for the
            runtime's choice, of several `workers` for a share of the
            processors each.
        workers: int, at least 1. Processes, each with a model of its own.
        max_batch_size: int, at least 1. Most images of a request, and of a
            batch.
        max_body: int. Most bytes of a request, no fewer than one image needs
            as a tensor; `None` for what the largest batch of float32 needs,
            and 16 MiB at least.
        max_pixels: int, at least 1. Image files with more are not decoded.
        trust: bool. Whether the file may have operations that no export needs;
            see `keras_csg.open_exported`.
        log: callable that takes a line, of progress or of a request that is
            refused; `None` for silence.
        block: bool. Whether to serve until Ctrl-C or SIGTERM.

    Returns:
        `ServedModel`: its `url`, `grpc_address`, `wait` and `close`; closed
        already with `block`.

    Raises:
        InputError: if a package is missing, there is no such model, it cannot
            listen there, or an argument is not as described.

    Example:
    >>> served = keras_csg.serve("birds.onnx", block=False)  # doctest: +SKIP
    >>> served.url  # doctest: +SKIP
    'http://127.0.0.1:8080/v2/models/birds'
    >>> served.close()  # doctest: +SKIP
    """
    check_path("source", source)
    check_text("name", name, optional=True)
    check_text("host", host)
    _check_ports(port, grpc_port)
    check_count("threads", threads, optional=True)
    check_count("workers", workers)
    check_count("max_batch_size", max_batch_size)
    check_count("max_body", max_body, optional=True, most=MOST)
    check_count("max_pixels", max_pixels, most=MOST)
    check_flag("trust", trust)
    check_flag("block", block)
    log = logger(log)
    _check_packages(grpc_port)
    if workers > 1:
        if not can_share_ports():
            raise InputError(ALONE)
        threads = threads or max(1, (os.cpu_count() or 1) // workers)
    with contextlib.ExitStack() as resources:
        with input_errors():
            path, usual_name, version = _model(source, log, resources)
            metadata = read_metadata(path)
            check_body(max_body, metadata)
            settings = ServerSettings(
                path=str(path),
                name=_checked_name(name or usual_name),
                version=version,
                host=host,
                port=port,
                grpc_port=grpc_port,
                threads=threads,
                max_batch_size=max_batch_size,
                max_body=max_body or body_of_batch(metadata, max_batch_size),
                max_pixels=max_pixels,
                trust=trust,
            )
            server = _start(settings, workers, log)
        served = ServedModel(settings, server, resources.pop_all())
    over = f" and {served.grpc_address}, gRPC" if served.grpc_address else ""
    log(f"Serving {source}, until Ctrl-C, at {served.url}{over}")
    if not is_loopback(host):
        log(f"Warning: whoever reaches {host} can ask; there is no password.")
    if block:
        served.wait()
    return served


def needs_tensorflow(source: str | os.PathLike) -> bool:
    """Whether a network has to be exported before it can be served.

    Args:
        source: see `serve`.
    """
    text = os.fspath(source)
    path = pathlib.Path(text)
    return (
        text.startswith(WEIGHTS_PREFIX)
        or path.suffix == ".keras"
        or (path / "config.json").exists()
    )


def _model(source, log, resources):
    """Returns the path of an exported model, its name and its version."""
    if not needs_tensorflow(source):
        path = at_home(source)
        if not path.exists():
            raise ValueError(
                f"There is neither an exported model nor a run {source}."
            )
        return path, *name_and_version(path)
    from keras_csg.commands.predict import open_detector, open_source
    from keras_csg.deployment.exporting import export

    model = open_source(source)
    detector = open_detector(source, model)
    if detector is not None and not detector.exportable:
        log(
            f"The detector of {source} is not served: its score "
            f"{detector.score!r} cannot live in a file."
        )
        detector = None
    folder = resources.enter_context(
        tempfile.TemporaryDirectory(prefix="keras-csg-serve-")
    )
    log(f"Exporting {source} to ONNX, to serve that.")
    path = pathlib.Path(folder) / "model.onnx"
    proof = export(model, path, detector=detector)
    gap = max(proof["gaps"].values())
    log(f"Proven: on random images the file differs by {gap:.1g} at most.")
    text = os.fspath(source).removeprefix(WEIGHTS_PREFIX)
    name = pathlib.Path(text).absolute().name.removesuffix(".keras")
    return path, name, VERSION


def _start(settings, workers, log):
    from keras_csg.serving.processes import ServerProcesses
    from keras_csg.serving.server import ModelServer

    if workers > 1:
        return ServerProcesses(settings, workers, log)
    return ModelServer(
        settings,
        lambda: open_to_serve(settings.path, settings.threads, settings.trust),
        log,
    )


def _check_ports(port, grpc_port):
    for name, value in (("port", port), ("grpc_port", grpc_port)):
        if value is None and name == "grpc_port":
            continue
        with input_errors():
            whole_number(name, value, 0)
        if value > HIGHEST_PORT:
            raise InputError(
                f"`{name}` must be at most {HIGHEST_PORT}. "
                f"Received: {name}={value!r}"
            )
    if port == grpc_port and port != 0:
        raise InputError(
            f"`port` and `grpc_port` must be two. Received: {port} for both"
        )


def _check_packages(grpc_port):
    needed = PACKAGES if grpc_port is None else (*PACKAGES, "grpc")
    missing = [n for n in needed if importlib.util.find_spec(n) is None]
    if missing:
        raise InputError(NEEDS.format(" and ".join(missing)))


def _checked_name(name):
    if "/" in name or not name.isprintable() or name in (".", ".."):
        raise ValueError(
            "`name` must be printable and without a slash, since it is part "
            f"of the address. Received: name={name!r}"
        )
    return name
