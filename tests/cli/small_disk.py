"""Commands on a disk that is full, or may only be read; prints what they say.

A process of its own, in a namespace of mounts where the disk is a small tmpfs.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

import numpy as np
from PIL import Image

import keras_csg
from keras_csg.training.callbacks.backup import RunBackup
from tests.cli.called import call
from tests.cli.crashing import TRAIN
from tests.cli.test_resume import weights_of
from tests.tiny import registered_tiny
from tests.tiny_run import make_tiny_run

BLOCK = 1024


class Disk:
    """A small disk.

    Args:
        path: path of its mount.
    """

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"

    def fill(self, leave=0):
        """Leaves so many bytes of it."""
        with contextlib.suppress(OSError), self.filler.open("ab", 0) as stream:
            while True:
                stream.write(bytes(BLOCK))
        size = self.filler.stat().st_size
        os.truncate(self.filler, max(size - leave, 0))

    def free(self):
        """Takes away what filled it."""
        self.filler.unlink(missing_ok=True)

    def names(self):
        """Returns what others have written."""
        paths = self.path.rglob("*")
        return sorted(
            str(p.relative_to(self.path)) for p in paths if p != self.filler
        )


def train_on(disk, large):
    """Fills the disk in the third epoch; returns what was said, and resumes."""
    real = RunBackup.save

    def save(self, epochs_done, model):
        if epochs_done == 3:
            disk.fill(2 * BLOCK)
        real(self, epochs_done, model)

    with mock.patch.object(RunBackup, "save", save):
        code, said = call(*TRAIN, "--out", disk.path / "run")
    kept = disk.names()
    disk.free()
    resumed, then = call(*TRAIN, "--resume", "--out", disk.path / "run")
    call(*TRAIN, "--out", large / "whole")
    ours, theirs = (
        weights_of(path / "model.keras")
        for path in (disk.path / "run", large / "whole")
    )
    same = ours.keys() == theirs.keys() and all(
        np.array_equal(ours[name], theirs[name]) for name in ours
    )
    return {
        "code": code,
        "said": said,
        "kept": kept,
        "resumed": resumed,
        "then": then,
        "same": same,
    }


def on_full(disk, leave, *args):
    """Returns what a command says on the full disk, and what it leaves."""
    before = disk.names()
    disk.fill(leave)
    code, said = call(*args)
    disk.free()
    left = [name for name in disk.names() if name not in before]
    return {"code": code, "said": said, "left": left}


def look(disk, large):
    """Returns what all commands say, by their names."""
    data = keras_csg.load_data("digits", image_size=8)
    run = make_tiny_run(large / "run", data)
    image = large / "a.png"
    Image.fromarray(np.zeros((64, 64, 3), "uint8")).save(image)
    out = disk.path / "out"
    found = {"train": train_on(disk, large)}
    export = ("export", run, "--out", out, "--format")
    found["saved_model"] = on_full(disk, 16 * BLOCK, *export, "saved_model")
    found["onnx"] = on_full(disk, 4 * BLOCK, *export, "onnx")
    for name in ("predict", "explain"):
        option = "--heatmap" if name == "predict" else "--out"
        found[name] = on_full(disk, 0, name, run, image, option, out)
    found["filters"] = on_full(
        disk, 60 * BLOCK, "filters", run, "--limit", 40, "--out", out
    )
    found["attack"] = on_full(
        disk, 4 * BLOCK, "attack", run, "--limit", 40, "--save", out
    )
    disk.fill()
    with mock.patch.dict(os.environ, {"TMPDIR": str(disk.path)}):
        tempfile.tempdir = None
        code, said = call(
            "export", run, "--out", large / "b", "--format", "onnx"
        )
    tempfile.tempdir = None
    found["tmpdir"] = {"code": code, "said": said}
    disk.free()
    subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
    for name, args in {
        "new run": [*TRAIN, "--out", disk.path / "new"],
        "resume": [
            *TRAIN,
            "--resume",
            "--epochs",
            9,
            "--out",
            disk.path / "run",
        ],
        "read-only export": [*export, "onnx"],
    }.items():
        code, said = call(*args)
        found[name] = {"code": code, "said": said}
    return found


if __name__ == "__main__":
    with registered_tiny():
        results = look(
            Disk(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])
        )
    sys.stdout.write(json.dumps(results) + "\n")
