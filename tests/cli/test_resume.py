"""A run that is killed and resumed ends with the bits of one that was not."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest

OPTIONS = [
    "--epochs", "3", "--image-size", "8", "--batch-size", "128",
    "--deterministic", "--augment", "crop,mixup", "--gate-schedule",
    "alternating", "--gate-warmup", "1", "--seed", "3",
]  # fmt: skip


def start(log, *args):
    with log.open("w") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "keras_csg_cli.main", "train", *args],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )


def wait_for(path, process, log, seconds=120):
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end
        time.sleep(0.01)


def weights_of(path):
    with zipfile.ZipFile(path) as archive:
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    values = {}
    file.visititems(
        lambda name, item: (
            values.__setitem__(name, item[()])
            if isinstance(item, h5py.Dataset)
            else None
        )
    )
    return values


def rows_of(path):
    """The rows of history.csv without the seconds."""
    lines = (path / "history.csv").read_text().splitlines()
    return [[c for i, c in enumerate(x.split(",")) if i != 1] for x in lines]


# The signal comes from within, so that the step is known: once, at that of the
# epoch, with the time at which it came.
STOPPED = """
import os, sys, time
from keras_csg_cli import ending
ending.ending.begin()
from keras_csg_cli import main, options
options.load_library()  # As the command does: not before its settings.
from keras_csg_cli import progress
number, epoch, step, mark = map(eval, sys.argv[1:5])
del sys.argv[1:5]
sys.argv[0] = "keras-csg"
real = progress.TrainingProgress.on_train_batch_end
def on_train_batch_end(self, batch, logs=None):
    real(self, batch, logs)
    if self._epoch_start == epoch * self.steps and batch == step:
        with open(mark, "w") as file:
            file.write(str(time.time()))
        os.kill(os.getpid(), number)
progress.TrainingProgress.on_train_batch_end = on_train_batch_end
main.main()
"""
SIGNALS = {"SIGHUP": 129, "SIGINT": 130, "SIGTERM": 143}
needs_posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no such signals"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody stopped."""
    path = tmp_path_factory.mktemp("whole") / "run"
    log = path.with_name("stderr")
    uninterrupted = start(log, *OPTIONS, "--out", str(path))
    assert uninterrupted.wait(300) == 0, log.read_text()
    return path


def check_same(whole, torn):
    """Compares all that a run has, to the bit."""
    expected, found = (
        weights_of(path / "model.keras") for path in (whole, torn)
    )
    # The optimizer's momenta are among them.
    assert any("optimizer" in name for name in expected)
    assert expected.keys() == found.keys()
    for name in expected:
        np.testing.assert_array_equal(expected[name], found[name])
    assert rows_of(whole) == rows_of(torn)
    assert not (torn / "backup").exists()


@needs_posix
@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_stopped_within_an_epoch_and_resumed_is_never_stopped(
    name, whole, tmp_path
):
    torn, mark, log = tmp_path / "torn", tmp_path / "mark", tmp_path / "stderr"
    number = getattr(signal, name)
    command = [int(number), 1, 5, repr(str(mark)), "train", *OPTIONS]
    done = subprocess.run(
        [sys.executable, "-c", STOPPED, *map(str, command), "--out", torn],
        capture_output=True,
        text=True,
    )
    seconds = time.time() - float(mark.read_text())
    assert done.returncode == SIGNALS[name], done.stderr
    *_, line = done.stderr.splitlines()
    assert line == f"Stopped. Go on with: keras-csg train --resume --out {torn}"
    assert done.stderr.count("Stopped") == 1
    assert "Traceback" not in done.stderr
    assert seconds < 4  # Of a machine that is busy; 2 are promised.
    # The epoch before is kept, and nothing is half written.
    assert os.listdir(torn / "backup") == ["epoch-0001.npz"]
    assert not list(torn.rglob(".*"))
    assert not (torn / "model.keras").exists()

    resumed = start(log, "--resume", "--out", str(torn))
    assert resumed.wait(300) == 0, log.read_text()
    check_same(whole, torn)


@pytest.mark.slow
def test_killed_and_resumed_is_never_stopped_bit_for_bit(whole, tmp_path):
    torn, log = tmp_path / "torn", tmp_path / "stderr"
    killed = start(log, *OPTIONS, "--out", str(torn))
    wait_for(torn / "backup" / "epoch-0001.npz", killed, log)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (torn / "model.keras").exists()

    resumed = start(log, "--resume", "--out", str(torn))
    assert resumed.wait(300) == 0, log.read_text()
    check_same(whole, torn)
