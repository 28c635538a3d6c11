"""What Ctrl-C, SIGTERM and SIGHUP do to a command: it ends, in one line.

The first one unwinds the command, as an exception does, so that nothing is
left half written. Where that takes longer than a moment, since code in C or an
import holds Python's handler back, a thread ends the process; the next signal
does so at once. It is imported before all else and imports nothing heavy.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time

CODES = {
    getattr(signal, name): code
    for name, code in (("SIGHUP", 129), ("SIGINT", 130), ("SIGTERM", 143))
    if hasattr(signal, name)  # Windows has no SIGHUP.
}
"""The exit code by signal, as shells have it."""
SECONDS = 1.0
"""How long what was under way may take to unwind."""
AGAIN = "Stopped; nothing is left half written: the same command starts anew."
SHOW_CURSOR = b"\r\x1b[2K\x1b[?25h"
"""Ends the line of a progress bar, which hides the cursor."""


class Ended(BaseException):
    """The command was asked to end; no library takes it for its own."""


class _Ending:
    """The one of this process.

    Attributes:
        number: int, of the first signal; `None` before.
        line: str. What is said in the end; or a callable that returns it then.
    """

    def __init__(self):
        self.number = None
        self.line = AGAIN
        self._stderr = None
        self._leaving = threading.Lock()

    def begin(self):
        """Takes the signals, but those that whoever started us ignores."""
        if threading.current_thread() is not threading.main_thread():
            return
        if self._stderr is None:
            # What imports print is held back there, and this line with it.
            with contextlib.suppress(OSError):
                self._stderr = os.dup(2)
        for number in CODES:
            # As `nohup` has it, or a shell for what runs in the background.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.handle)
        sys.unraisablehook = _quiet_hook(sys.unraisablehook)
        if os.name == "posix":
            self._watch()
            os.register_at_fork(after_in_child=self._watch)

    def handle(self, number, frame):
        """Unwinds what is under way, once."""
        if self.number is None:
            self.number = number
            raise Ended

    def text(self):
        """Returns what is said in the end."""
        return self.line() if callable(self.line) else self.line

    def leave(self):
        """Says the line and ends the process; nothing is waited for."""
        self._leave(self.number, in_order=True)

    def _watch(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(
            target=self._end_late, args=(reader,), daemon=True
        ).start()

    def _end_late(self, reader):
        """Ends the process a moment after a signal, or at the second one."""
        first = None
        late = time.monotonic()
        while True:
            wait = None if first is None else max(0, late - time.monotonic())
            if not select.select([reader], [], [], wait)[0]:
                self._leave(first)
            for number in os.read(reader, 64):
                # A server has its own way with them while it serves.
                if not self._is_ours(number):
                    continue
                if first is not None:
                    self._leave(first)
                first, late = number, time.monotonic() + SECONDS

    def _is_ours(self, number):
        return number in CODES and signal.getsignal(number) == self.handle

    def _leave(self, number, in_order=False):
        # Never let go: whoever comes second waits for the end of the process.
        self._leaving.acquire()
        # In order, too: what a generator was writing is not unwound.
        _remove_parts()
        if in_order:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
        elif self._stderr is not None and os.isatty(self._stderr):
            self._write(SHOW_CURSOR)
        self._write(f"{self.text()}\n".encode(errors="backslashreplace"))
        os._exit(CODES[number])

    def _write(self, text):
        with contextlib.suppress(OSError, TypeError):  # The terminal is gone.
            os.write(self._stderr, text)


def _remove_parts():
    """Removes what is half written; what cannot be is passed over."""
    files = sys.modules.get("keras_csg.files")
    for part in list(getattr(files, "PARTS", ())):
        with contextlib.suppress(Exception):
            files.remove(part)


def _quiet_hook(hook):
    """Returns a hook that says nothing where nothing could be unwound."""

    def call(about):
        if not isinstance(about.exc_value, Ended):
            hook(about)

    return call


ending = _Ending()
