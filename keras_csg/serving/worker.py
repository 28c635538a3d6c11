"""One of several processes that serve a model at one port.

It is started by `keras_csg.serving.processes`, which writes the settings to
its standard input and closes that when it is to end: also when it is killed.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from keras_csg.serving.settings import ServerSettings

READY = "ready"
PARENT_SECONDS = 1.0
"""How often it is looked whether the process that started it is there."""


class _Parent:
    """The process that started this one, and what its end means.

    Its end closes standard input. Where a child of it holds that open, it has
    another parent: both are looked at, from before the model is opened, which
    may take long, so that no worker is left that keeps the ports.
    """

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._pid = os.getppid()
        # A place for what is done then; by itself the process ends at once.
        self._end: Callable[[], None] | None = None
        self._changing = threading.Lock()

    def watch(self) -> None:
        """Looks after it from now on."""
        for wait in (self._read, self._look):
            threading.Thread(target=wait, daemon=True).start()

    def end_in_order(self, seconds: float) -> None:
        """Lets the process end by itself, and at once where it takes longer.

        Args:
            seconds: float. How long it may take.
        """

        def end():
            time.sleep(seconds)
            os._exit(1)  # Nobody is there who would kill it.

        with self._changing:
            self._end = end

    def _read(self):
        sys.stdin.read()
        self._ended()

    def _look(self):
        while os.getppid() == self._pid:
            time.sleep(PARENT_SECONDS)
        self._ended()

    def _ended(self):
        with self._changing:
            self.gone.set()
            if self._end is None:
                os._exit(0)
        self._end()


def main() -> None:
    """Serves until the process that started it ends, or says so."""
    # What ends the process that started it reaches it by the closed input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = _Parent()
    text = sys.stdin.readline()
    if not text:
        return
    parent.watch()
    settings = ServerSettings.from_json(text)
    from keras_csg.serving.opening import open_to_serve
    from keras_csg.serving.server import DRAIN_SECONDS, ModelServer

    try:
        server = ModelServer(
            settings,
            lambda: open_to_serve(
                settings.path, settings.threads, settings.trust
            ),
            _say,
        )
    except ValueError as error:
        _say(" ".join(str(error).split()))
        sys.exit(2)
    parent.end_in_order(DRAIN_SECONDS + 5)
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    while not parent.gone.wait(1):
        server.check()
    server.close()


def _say(text):
    sys.stderr.write(f"worker {os.getpid()}: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
