"""Two processes on this machine train like one, and notice the other's end."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_csg.training import Run
from tests.engines.several_processes import OPTIONS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("jax") is None, reason="JAX is not installed"
    ),
]


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(out, *args, index=None, port=None):
    """Starts one process, alone or as one of two."""
    where = () if index is None else (
        *("--coordinator", f"127.0.0.1:{port}"),
        *("--processes", "2", "--process-id", str(index)),
    )  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-W", "ignore"]
        + ["-m", "tests.engines.several_processes"]
        + ["train", "--out", out, *where, *args],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_two(out, *args):
    port = free_port()
    return [start(out, *args, index=n, port=port) for n in range(2)]


def ended(processes, timeout=240):
    """Returns the exit code, stdout and stderr of each."""
    found = []
    for process in processes:
        streams = process.communicate(timeout=timeout)
        found.append((process.returncode, *streams))
    return found


def train_two(out, *args):
    for code, _, told in ended(start_two(out, *args)):
        assert code == 0, told
    return Run(out)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A run of two processes, of three epochs."""
    out = tmp_path_factory.mktemp("two") / "run"
    return train_two(out, *OPTIONS, "--epochs", "3")


def test_they_end_where_one_does(two, tmp_path):
    ((code, _, told),) = ended(
        [start(tmp_path / "one", *OPTIONS, "--epochs", "3")]
    )
    assert code == 0, told
    one = Run(tmp_path / "one")
    ours, theirs = one.history.columns(), two.history.columns()
    assert ours["l1_density"][-1] < 0.2
    for name in ("loss", "val_loss", "class_specific_loss", "l1_density"):
        np.testing.assert_allclose(
            ours[name], theirs[name], rtol=5e-3, err_msg=name
        )
    models = [run.load_model() for run in (one, two)]
    for weights in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_allclose(*weights, rtol=5e-3, atol=5e-3)
    figures = [run.read_metrics() for run in (one, two)]
    for name in ("accuracy", "class_specific_accuracy", "mis"):
        assert abs(figures[0][name] - figures[1][name]) < 0.02
    assert one.options == two.options


@pytest.mark.parametrize("victim", range(2))
def test_the_end_of_one_is_noticed_and_both_go_on(victim, two, tmp_path):
    out = tmp_path / "run"
    processes = start_two(out, *OPTIONS, "--epochs", "3")
    while not (out / "backup" / "epoch-0001.npz").exists():
        assert all(p.poll() is None for p in processes)
        time.sleep(0.05)
    processes[victim].send_signal(signal.SIGKILL)
    ((code, _, told),) = ended([processes[1 - victim]])
    processes[victim].communicate()
    assert code == 2, told
    assert told.strip().splitlines()[-1].startswith("Error: "), told
    assert "see what" in told and "in all of them" in told
    assert not Run(out).is_finished()
    went_on = train_two(out, "--resume")
    ours, theirs = (run.load_model().get_weights() for run in (two, went_on))
    for weights in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(*weights)


def test_processes_that_are_told_other_things_are_refused(tmp_path):
    port = free_port()
    processes = [
        start(
            tmp_path / "run",
            *OPTIONS,
            *("--seed", str(index)),
            index=index,
            port=port,
        )
        for index in range(2)
    ]
    for code, _, told in ended(processes):
        assert code == 2, told
        assert "other options in process 1 than in 0" in told
    assert not (tmp_path / "run").exists()


def test_what_does_not_go_together_is_refused(tmp_path):
    for args, words in (
        (("--processes", "2"), "need --coordinator HOST:PORT"),
        (("--coordinator", "here:12"), "needs --processes and --process-id"),
        (
            (
                *("--coordinator", "here", "--processes", "2"),
                *("--process-id", "1"),
            ),
            "must be HOST:PORT or auto",
        ),
    ):
        ((code, _, told),) = ended([start(tmp_path / "run", *args)])
        assert code == 2 and words in told, told
    process = subprocess.run(
        [shutil.which("keras-csg"), "train", "--coordinator", "auto"],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert "need --out" in process.stderr
