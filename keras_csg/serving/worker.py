"""One of several processes that serve a model at one port.

It is started by `keras_csg.serving.processes`, which writes the settings to
its standard input and closes that when it is to end: also when it is killed.
"""

import os
import signal
import sys
import threading

from keras_csg.serving.settings import ServerSettings

READY = "ready"


def main() -> None:
    """Serves until standard input is closed."""
    # What ends the process that started it reaches it by the closed input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = ServerSettings.from_json(sys.stdin.readline())
    from keras_csg.serving.opening import open_to_serve
    from keras_csg.serving.server import ModelServer

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
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    ended = threading.Event()

    def read():
        sys.stdin.read()
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    while not ended.wait(1):
        server.check()
    server.close()


def _say(text):
    sys.stderr.write(f"worker {os.getpid()}: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
