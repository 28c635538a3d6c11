"""A command that is stopped at any moment leaves nothing half written."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import keras_csg
from keras_csg.commands import write_predictions
from keras_csg.data import packing
from keras_csg.deployment import exporting
from keras_csg.robustness import saving
from tests.tiny import tiny_classifier


def stop(*args, **kwargs):
    raise SystemExit(143)


@pytest.mark.parametrize("step", ["prove", "write_companions", "publish"])
@pytest.mark.parametrize("layout", [None, "triton"])
def test_an_export_leaves_nothing(step, layout, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, step, stop)
    path = tmp_path / "new" / ("birds" if layout else "model.onnx")
    with pytest.raises(SystemExit):
        keras_csg.export(
            tiny_classifier(), path, outputs=["class_id"], layout=layout
        )
    assert not list(tmp_path.iterdir())


def test_predictions_leave_nothing(tmp_path):
    def predictions():
        yield {"image": "a.png", "classes": [], "error": "none"}
        stop()

    with pytest.raises(SystemExit):
        list(write_predictions(predictions(), tmp_path / "a.jsonl"))
    assert not list(tmp_path.iterdir())


def test_a_packed_set_leaves_nothing(tmp_path, monkeypatch):
    from PIL import Image

    for split in ("train", "test"):
        for label in ("a", "b"):
            folder = tmp_path / "images" / split / label
            folder.mkdir(parents=True)
            for number in range(3):
                pixels = np.full((8, 8, 3), 40 * number + len(str(folder)))
                Image.fromarray(pixels.astype("uint8")).save(
                    folder / f"{number}.png"
                )
    monkeypatch.setattr(packing, "_examples", stop)
    with pytest.raises(SystemExit):
        keras_csg.pack(tmp_path / "images", tmp_path / "out", log=None)
    assert not list((tmp_path / "out").iterdir())


def test_attacked_images_that_cannot_be_begun_leave_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(saving.csv, "writer", stop)
    with (
        pytest.raises(SystemExit),
        saving.AttackedImages(tmp_path / "attacked"),
    ):
        pass
    assert not list(tmp_path.iterdir())


SUSPENDED = """
import os, pathlib, signal, sys
from keras_csg_cli.ending import ending
from keras_csg_cli import main as program
from keras_csg.files import whole_file

def numbers():
    with whole_file(pathlib.Path(sys.argv.pop())) as part:
        part.write_text("half")
        yield 1

class Command:
    def main(self, *args, **kwargs):
        found = numbers()
        for number in found:
            os.kill(os.getpid(), signal.SIGTERM)

program.cli = Command()
program.main()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_what_waits_for_its_next_line_is_removed_as_well(tmp_path):
    """No exception passes through a generator that is not running."""
    done = subprocess.run(
        [sys.executable, "-c", SUSPENDED, str(tmp_path / "a.csv")],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(__file__).parents[2],
    )
    assert done.returncode == 143, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
