"""Metrics are for everyone who has arrays, whatever computed them."""

import pathlib
import subprocess
import sys

import pytest

import keras_csg

# The package above is left out: what it loads is its own matter.
SCRIPT = """
import importlib, sys, types
package = types.ModuleType("keras_csg")
package.__path__ = [sys.argv[1]]
sys.modules["keras_csg"] = package
importlib.import_module("keras_csg.metrics")
print(*sys.modules)
"""
HEAVY = ("tensorflow", "keras", "matplotlib", "sklearn", "torch", "jax")


@pytest.fixture(scope="module")
def loaded():
    folder = pathlib.Path(keras_csg.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_metrics_load_no_framework(loaded):
    assert "keras_csg.metrics.head" in loaded and "numpy" in loaded
    assert {name.partition(".")[0] for name in loaded}.isdisjoint(HEAVY)


def test_metrics_load_no_other_room_of_the_package(loaded):
    ours = {name for name in loaded if name.startswith("keras_csg.")}
    assert all(name.startswith("keras_csg.metrics") for name in ours)
