"""The first signal asks a server to end, the second ends it."""

import contextlib
import signal
import threading
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def ending(event: threading.Event) -> Iterator[None]:
    """Sets an event at the first Ctrl-C or SIGTERM; the next ends at once.

    In another thread than the main one signals stay as they are.

    Args:
        event: `threading.Event`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def end(number, frame):
        for known in SIGNALS:
            signal.signal(known, signal.SIG_DFL)
        event.set()

    for number in SIGNALS:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
