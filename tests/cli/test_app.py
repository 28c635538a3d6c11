import importlib.util
import signal
from unittest import mock

import pytest


@pytest.fixture
def served():
    """What the library is asked for, and a page that ends at once."""
    handler = signal.getsignal(signal.SIGTERM)
    page = mock.Mock(url="http://127.0.0.1:7999/")
    with mock.patch("keras_csg.commands.app", return_value=page) as app:
        app.page = page
        yield app
    signal.signal(signal.SIGTERM, handler)


def test_the_address_is_all_that_goes_to_stdout(run_cli, served):
    code, out, _ = run_cli("app", "runs/some", "--port", "7999", "--no-browser")
    assert code == 0
    assert out == "http://127.0.0.1:7999/\n"
    assert served.page.wait.called
    (run,), settings = served.call_args
    assert run == "runs/some"
    assert settings["host"] == "127.0.0.1" and settings["port"] == 7999
    assert settings["open_browser"] is False and settings["galleries"] is True
    assert settings["block"] is False


def test_what_is_no_run_is_one_line(run_cli, tmp_path):
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("pip install 'keras-csg[app]'")
    handler = signal.getsignal(signal.SIGTERM)
    code, out, err = run_cli("app", tmp_path / "none", "--no-browser")
    signal.signal(signal.SIGTERM, handler)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert "is not a run directory" in line


def test_without_gradio_one_line_says_what_to_install(
    run_cli, tmp_path, monkeypatch
):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "gradio" else real(name, *rest),
    )
    handler = signal.getsignal(signal.SIGTERM)
    code, _, err = run_cli("app", tmp_path, "--no-browser")
    signal.signal(signal.SIGTERM, handler)
    assert code == 2
    assert err == (
        "Error: The page needs gradio: pip install 'keras-csg[app]'\n"
    )


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(run_cli, port):
    code, _, err = run_cli("app", "runs/some", "--port", port)
    assert code == 2 and "--port" in err
