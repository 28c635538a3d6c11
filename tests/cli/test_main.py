import importlib.util
import os
import subprocess
import sys

import pytest

from keras_csg_cli.main import cli


def test_help_imports_neither_keras_nor_tensorflow():
    """It has to answer at once."""
    code = (
        "import sys; from keras_csg_cli.main import cli;"
        "cli.main(['--help'], standalone_mode=False);"
        "heavy = {'keras', 'tensorflow', 'numpy', 'rich'};"
        "sys.exit(len(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help(name, run_cli):
    code, out, err = run_cli(name, "--help")
    assert code == 0 and "Usage:" in out


@pytest.mark.parametrize(
    "args", [["trian"], ["train", "--no-such"], ["predict"], ["evaluate"]]
)
def test_a_wrong_word_is_one_line(args, run_cli):
    code, out, err = run_cli(*args)
    assert code == 2
    assert len(err.splitlines()) == 1 and err.startswith("Error: ")


@pytest.mark.parametrize(
    "own", [None, pytest.param("0", marks=pytest.mark.slow)]
)
def test_onednn_is_on_unless_the_user_says_so(own):
    environment = {**os.environ}
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    if own is not None:
        environment["TF_ENABLE_ONEDNN_OPTS"] = own
    script = (
        "import os, sys\n"
        "from keras_csg_cli.options import load_library\n"
        "assert 'tensorflow' not in sys.modules\n"
        "load_library()\n"
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.stdout == f"{own or 1}\n", done.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("predict", "RUN", "PICTURE", "--out", ""),
        ("evaluate", "RUN", "--against", ""),
        ("export", "RUN", "--out", ""),
    ],
)
def test_an_empty_path_is_no_path(args, trained, run_cli):
    paths = {"RUN": trained, "PICTURE": trained / "curves.png"}
    args = [paths.get(arg, arg) for arg in args]
    code, out, err = run_cli(*args)
    assert code == 2 and not out
    assert "must not be empty" in err


@pytest.mark.parametrize(
    "backend, message",
    [
        ("JAX", "one of tensorflow, jax, torch. Received: JAX"),
        ("numpy", "one of tensorflow, jax, torch. Received: numpy"),
        ("torch", "torch, which is not installed: pip install torch"),
    ],
)
def test_a_backend_that_is_none_is_one_line(
    backend, message, run_cli, monkeypatch, tmp_path
):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, out, err = run_cli("train", "--out", tmp_path / "run")
    assert code == 2
    assert len(err.splitlines()) == 1 and message in err
    assert not list(tmp_path.iterdir())


COUNTS = [
    ("attack", "RUN", "--limit"),
    ("detect", "fit", "RUN", "--limit"),
    ("evaluate", "RUN", "--batch-size"),
    ("explain", "RUN", "PICTURE", "--filters"),
    ("filters", "RUN", "--limit"),
    ("filters", "RUN", "--images"),
    ("localize", "RUN", "--limit"),
    ("localize", "RUN", "--mosaics"),
    ("predict", "RUN", "PICTURE", "--top"),
    ("robustness", "RUN", "--limit"),
    ("serve", "RUN", "--threads"),
    ("serve", "RUN", "--workers"),
    ("serve", "RUN", "--max-batch-size"),
    ("train", "--out", "OUT", "--batch-size"),
    ("train", "--out", "OUT", "--patience"),
    ("train", "--out", "OUT", "--filters"),
    ("train", "--out", "OUT", "--seed"),
]


@pytest.mark.parametrize("args", COUNTS, ids=" ".join)
def test_a_number_beyond_reason_is_one_line(args, trained, run_cli, tmp_path):
    picture, out = trained / "curves.png", tmp_path / "out"
    paths = {"RUN": trained, "PICTURE": picture, "OUT": out}
    args = [paths.get(arg, arg) for arg in args]
    code, out, err = run_cli(*args, 10**20)
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert f"{args[-1]} must be at most" in line or "in the range" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["localhost:99999", "localhost:0", ":80"])
def test_an_address_that_is_none_is_one_line(address, run_cli, tmp_path):
    options = ("--processes", "2", "--process-id", "0")
    code, out, err = run_cli(
        "train", "--out", tmp_path / "run", "--coordinator", address, *options
    )
    assert code == 2
    assert f"must be HOST:PORT or auto. Received: {address}" in err
