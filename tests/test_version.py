import importlib.metadata
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

import keras_csg
from keras_csg.version import package_version, version

ROOT = pathlib.Path(__file__).parent.parent

# Hides what pip knows of the package, as in a copy that nobody installed.
UNINSTALLED = """
import importlib.metadata

real = importlib.metadata.version

def version(name):
    if name == "keras-csg":
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)

importlib.metadata.version = version
import keras_csg
from keras_csg.deployment import Metadata
from keras_csg.training.environment import versions

print(keras_csg.__file__)
print(keras_csg.__version__)
print(Metadata("onnx", "tiny", [], {}, {}).project_version)
print(versions()["keras-csg"])
"""


def test_the_version_is_that_of_the_installed_package():
    assert version() == importlib.metadata.version("keras-csg")
    assert keras_csg.__version__ == version()


def test_a_package_may_be_installed_under_another_name(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    installed = importlib.metadata.version("absl-py"), np.__version__
    assert (package_version("absl-py"), package_version("numpy")) == installed
    monkeypatch.setattr(importlib.metadata, "version", unknown)
    assert package_version("numpy") == np.__version__
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        package_version("no-such-package")


@pytest.mark.slow
def test_a_checkout_that_is_not_installed_can_be_imported(tmp_path):
    shutil.copytree(ROOT / "keras_csg", tmp_path / "keras_csg")
    done = subprocess.run(
        [sys.executable, "-c", UNINSTALLED],
        cwd=tmp_path,  # Which `-c` looks through first.
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    file, *versions = done.stdout.split()
    assert file == str(tmp_path / "keras_csg" / "__init__.py")
    assert versions == ["0+unknown"] * 3
