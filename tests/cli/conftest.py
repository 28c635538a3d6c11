import shutil

import keras
import pytest
from PIL import Image

import keras_csg
from keras_csg_cli.main import main
from tests.tiny_run import make_tiny_run as tiny_run_at

QUICK = ["--epochs", "1", "--image-size", "8", "--batch-size", "128"]


@pytest.fixture
def run_cli(capfd):
    """Calls the command line; returns exit code, stdout and stderr."""

    def call(*args):
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        out, err = capfd.readouterr()
        return exit_.value.code, out, err

    return call


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run directory of one quick epoch on the digits."""
    path = tmp_path_factory.mktemp("runs") / "gated"
    with pytest.raises(SystemExit) as exit_:
        main(["train", *QUICK, "--out", str(path)])
    assert exit_.value.code == 0
    return path


@pytest.fixture(scope="session")
def digits():
    return keras_csg.load_data("digits", image_size=8)


@pytest.fixture(scope="session")
def make_tiny_run(digits):
    """Makes run directories of a network that is quickly exported."""

    def make(path, epochs=0, **kwargs):
        return tiny_run_at(path, digits, epochs, **kwargs)

    return make


@pytest.fixture(scope="session")
def tiny_run(make_tiny_run, tmp_path_factory):
    """A run that knows most digits."""
    keras.utils.set_random_seed(1)
    return make_tiny_run(tmp_path_factory.mktemp("tiny") / "digits", epochs=8)


@pytest.fixture(scope="session")
def export_tiny(tiny_run, tmp_path_factory):
    """Exports the tiny run to all formats; returns the folder."""

    def export(quantize):
        out = tmp_path_factory.mktemp("exported") / "files"
        with pytest.raises(SystemExit) as exit_:
            main(
                ["export", str(tiny_run), "--out", str(out)]
                + ["--format", "all", "--quantize", quantize]
            )
        assert exit_.value.code == 0
        return out

    return export


@pytest.fixture
def digit(tmp_path):
    images, labels = keras_csg.load_data(
        "digits", image_size=8
    ).test.images_and_labels(3)
    paths = []
    for i, image in enumerate(images):
        paths.append(tmp_path / f"{i}.png")
        Image.fromarray(image).save(paths[-1])
    return paths, images


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of a run that may be written into."""
    shutil.copytree(tiny_run, tmp_path / "run")
    return tmp_path / "run"
