import pytest

from keras_csg_cli.main import main

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
