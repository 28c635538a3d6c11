"""The page is served to this machine, and nothing is left of it."""

import importlib.util
import subprocess
import sys

import pytest

from keras_csg.interactive.serving import serve
from keras_csg.serving.sockets import is_loopback
from tests.source_tree import ROOT


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("192.168.1.2", False),
        ("example.org", False),
    ],
)
def test_loopback_is_told_from_what_others_reach(host, own):
    assert is_loopback(host) is own


@pytest.mark.parametrize("host", ["256.1.1.1", "192.0.2.1", "a..b"])
def test_an_address_that_is_not_this_machines_is_refused(host):
    with pytest.raises(ValueError, match=f"Cannot listen at {host}, port 80"):
        serve(None, host=host, port=80, open_browser=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "check",
    [
        "nothing_is_left",
        "taken_port_is_refused",
        "no_file_of_the_machine_is_given",
    ],
)
def test_of_a_page_that_is_served(check, tmp_path):
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("pip install 'keras-csg[app]'")
    done = subprocess.run(
        [sys.executable, "-m", "tests.interactive.serving_checks", check]
        + [str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
