"""What `test_serving` holds of a page, each in a process of its own.

Gradio leaves sockets and event loops to be collected, which would be errors in
whatever test runs then.

    python -m tests.interactive.serving_checks NAME FOLDER
"""

import os
import pathlib
import socket
import sys
import tempfile
import urllib.error
import urllib.request

from keras_csg.interactive.serving import serve
from tests.interactive.pages import hand_made, picture_at

LOCAL = {"host": "127.0.0.1", "open_browser": False}


def nothing_is_left(folder):
    tempfile.tempdir = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "mine"
    os.environ.pop("GRADIO_TEMP_DIR", None)
    with serve(hand_made(), port=None, **LOCAL) as page:
        assert page.url.startswith("http://127.0.0.1:")
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        (own,) = folder.iterdir()
        assert pathlib.Path(os.environ["GRADIO_TEMP_DIR"]).parent == own
        with urllib.request.urlopen(page.url) as answer:
            text = answer.read().decode()
        assert '"analytics_enabled":false' in text
        assert '"run_history":false' in text
        assert "fonts.googleapis" not in text and "cdnjs" not in text
    assert not [*folder.iterdir()]
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "mine"
    assert "GRADIO_TEMP_DIR" not in os.environ
    page.close()  # Once more does no harm.


def taken_port_is_refused(folder):
    tempfile.tempdir = str(folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        try:
            serve(hand_made(), port=port, **LOCAL)
        except ValueError as error:
            text = str(error)
    assert f"127.0.0.1, port {port}" in text
    assert not [*folder.iterdir()]


def no_file_of_the_machine_is_given(folder):
    secret = picture_at(folder / "secret.png")
    with serve(hand_made(), port=None, **LOCAL) as page:
        try:
            urllib.request.urlopen(f"{page.url}gradio_api/file={secret}")
        except urllib.error.HTTPError as error:
            code = error.code
    assert code == 403


if __name__ == "__main__":
    globals()[sys.argv[1]](pathlib.Path(sys.argv[2]))
