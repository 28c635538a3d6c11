"""A run that is killed and resumed ends with the bits of one that was not."""

import io
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


@pytest.mark.slow
def test_killed_and_resumed_is_never_stopped_bit_for_bit(tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    log = tmp_path / "stderr"
    uninterrupted = start(log, *OPTIONS, "--out", str(whole))
    assert uninterrupted.wait(300) == 0, log.read_text()

    killed = start(log, *OPTIONS, "--out", str(torn))
    wait_for(torn / "backup" / "epoch-0001.npz", killed, log)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (torn / "model.keras").exists()

    resumed = start(log, "--resume", "--out", str(torn))
    assert resumed.wait(300) == 0, log.read_text()
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
