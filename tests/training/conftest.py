import json
import shutil

import pytest

from keras_csg.training import Run
from tests.tiny import registered_tiny
from tests.training.photos import train, write


@pytest.fixture(scope="module")
def tiny():
    with registered_tiny() as name:
        yield name


@pytest.fixture(scope="module")
def photo_run(tiny, tmp_path_factory):
    """A folder of images, and a run on it."""
    root = tmp_path_factory.mktemp("data")
    write(root / "photos" / "cat", range(30))
    write(root / "photos" / "dog", range(100, 130))
    train(root / "run", root / "photos", epochs=1)
    return root


@pytest.fixture
def root(photo_run, tmp_path):
    """A copy of both that a test may change."""
    copy = shutil.copytree(photo_run, tmp_path / "copy")
    config = json.loads((copy / "run" / "config.json").read_text())
    config["data"] = str(copy / "photos")
    (copy / "run" / "config.json").write_text(json.dumps(config))
    run = Run(copy / "run")  # As if it had been trained there.
    run.write_record(run.options, run.history)
    return copy
