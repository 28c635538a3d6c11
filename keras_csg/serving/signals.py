"""The first signal asks a server to end, the second ends it."""

import contextlib
import signal
import threading
from collections.abc import Iterator

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP.
]


@contextlib.contextmanager
def ending(event: threading.Event) -> Iterator[None]:
    """Sets an event at the first Ctrl-C, SIGTERM or SIGHUP.

    The next one ends the process at once. What is ignored, as `nohup` has it,
    stays so; and in another thread than the main one all stay as they are.

    Args:
        event: `threading.Event`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: handler
        for number in SIGNALS
        if (handler := signal.getsignal(number)) is not signal.SIG_IGN
    }

    def end(number, frame):
        for known in before:
            signal.signal(known, signal.SIG_DFL)
        # Not here: what was interrupted may hold the event's own lock.
        threading.Thread(target=event.set).start()

    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
