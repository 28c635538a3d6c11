"""Starts and stops the page, and keeps it to this machine."""

import atexit
import contextlib
import os
import pathlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from keras_csg.interactive.workbench import Workbench
from keras_csg.serving.signals import ending

LARGEST_FILE = "64mb"
# Nobody is told that the page was opened, and by whom.
QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_SHARE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


class ServedApp:
    """A page that is being served, until it is closed.

    It is a context manager, too.

    Attributes:
        url: str. Its address.
    """

    def __init__(
        self, url: str, blocks: Any, resources: contextlib.ExitStack
    ) -> None:
        self.url = url
        self._blocks = blocks
        self._resources = resources
        self._closed = threading.Event()
        self._ended = threading.Event()
        atexit.register(self.close)

    def wait(self) -> None:
        """Waits until it is closed, for Ctrl-C or SIGTERM; closes it.

        A second signal ends the process at once.
        """
        with ending(self._ended):
            try:
                # In steps: a signal does not end an endless wait everywhere.
                while not self._ended.wait(1):
                    pass
            finally:
                self.close()

    def close(self) -> None:
        """Stops serving, and removes what visitors uploaded."""
        self._ended.set()
        if self._closed.is_set():
            return
        self._closed.set()
        atexit.unregister(self.close)
        self._resources.close()

    def __enter__(self) -> "ServedApp":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def serve(
    bench: Workbench,
    *,
    host: str,
    port: int | None,
    open_browser: bool,
    examples: Sequence[np.ndarray] = (),
) -> ServedApp:
    """Serves the page of a run.

    Args:
        bench: `Workbench`.
        host: str. Address to listen at.
        port: int; `None` for a free one.
        open_browser: bool. Whether to open it in the user's browser.
        examples: uint8 arrays of shape `(height, width, 3)`: pictures to
            begin with.

    Returns:
        `ServedApp`.

    Raises:
        ValueError: if it cannot listen there.
    """
    if not _can_listen(host):  # Gradio would try a hundred ports.
        raise ValueError(_taken(host, port))
    with contextlib.ExitStack() as resources:
        folder = pathlib.Path(resources.enter_context(_own_folder()))
        resources.enter_context(
            _environment({**QUIET, "GRADIO_TEMP_DIR": str(folder / "uploads")})
        )
        import keras_csg.interactive.markup as markup
        from keras_csg.interactive.page import Page, theme

        blocks = Page(bench, _written(examples, folder)).blocks
        resources.callback(blocks.close, verbose=False)
        try:
            _, url, _ = blocks.launch(
                server_name=host,
                server_port=port,
                inbrowser=open_browser,
                inline=False,
                share=False,
                quiet=True,
                prevent_thread_lock=True,
                ssr_mode=False,
                pwa=False,
                mcp_server=False,
                enable_monitoring=False,
                run_history=False,
                footer_links=[],
                max_file_size=LARGEST_FILE,
                theme=theme(),
                css=markup.style(),
            )
        except OSError as error:
            raise ValueError(_taken(host, port)) from error
        return ServedApp(url, blocks, resources.pop_all())


def _can_listen(host):
    try:
        family, kind, *_, address = socket.getaddrinfo(
            host.strip("[]"), 0, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as tried:
            tried.bind(address)
    except (OSError, UnicodeError):  # No such name; not of this machine.
        return False
    return True


def _taken(host, port):
    where = f"{host}, port {port}" if port else host
    return (
        f"Cannot listen at {where}: name another `port`, or none for a free "
        "one, and a `host` of this machine."
    )


def _written(examples, folder):
    paths = [
        folder / "examples" / f"test-{n}.png" for n in range(len(examples))
    ]
    if paths:
        paths[0].parent.mkdir()
    for path, pixels in zip(paths, examples, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


@contextlib.contextmanager
def _own_folder() -> Iterator[str]:
    """Gives a folder that is removed with all that is in it."""
    folder = tempfile.mkdtemp(prefix="keras-csg-app-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Sets variables, and what they were before at the end."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
