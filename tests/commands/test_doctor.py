import importlib
import json
import sys
from importlib import metadata

import keras
import pytest

import keras_csg
from keras_csg.commands import installed

doctor = keras_csg.doctor
module = importlib.import_module("keras_csg.commands.doctor")
REAL = metadata.metadata


def needing(monkeypatch, *lines, extras=()):
    """Has the package say that it needs these."""
    about = REAL("numpy")  # Any message with headers will do.
    del about["Requires-Dist"], about["Provides-Extra"]
    for line in lines:
        about["Requires-Dist"] = line
    for extra in extras:
        about["Provides-Extra"] = extra
    monkeypatch.setattr(installed, "_metadata", lambda: about)


def test_what_is_here_is_told_with_versions():
    found = doctor(self_test=False, log=None)
    assert found["ok"] and not found["problems"] and not found["self_test"]
    assert found["versions"]["keras-csg"] == keras_csg.__version__
    assert found["versions"]["keras"] == metadata.version("keras")
    assert found["backend"] == "tensorflow"
    assert "cpu:0" in found["devices"]
    (kept,) = [p for p in found["packages"] if p["name"] == "keras"]
    assert kept["fits"] and kept["needed"].startswith(">=")
    json.dumps(found)


def test_a_package_that_is_missing_is_a_problem_with_its_line(monkeypatch):
    needing(monkeypatch, "no-such-package>=3.11", "numpy>=1000")
    found = doctor(self_test=False, log=None)
    missing, old = found["problems"]
    assert not found["ok"]
    assert "not installed: pip install 'no-such-package>=3.11'" in missing
    assert f"it is {metadata.version('numpy')}" in old


def test_each_extra_that_is_missing_has_its_line(monkeypatch):
    needing(
        monkeypatch,
        "numpy>=1",
        'pillow>=1; extra == "pictures"',
        'no-such-thing>=2; extra == "things"',
        'only-there>=1; sys_platform == "no-such" and extra == "other-system"',
        extras=["pictures", "things", "other-system", "dev"],
    )
    pictures, things = installed.extras()
    assert pictures["here"] and pictures["name"] == "pictures"
    assert not things["here"] and things["missing"] == ["no-such-thing>=2"]
    assert things["install"] == "pip install 'keras-csg[things]'"
    (needed,) = installed.packages()
    assert needed["name"] == "numpy"


def test_an_extra_of_an_extra_is_looked_for(monkeypatch):
    needing(monkeypatch, 'keras-csg[things]>=0; extra == "gpu"', extras=["gpu"])
    inner = ["no-such-thing; extra == 'things'", "numpy"]
    monkeypatch.setattr(metadata, "requires", lambda name: inner)
    (gpu,) = installed.extras()
    assert gpu["missing"] == ["keras-csg[things]>=0"]
    inner[0] = "numpy; extra == 'things'"
    (gpu,) = installed.extras()
    assert gpu["here"]


def test_other_builds_of_a_package_count(monkeypatch):
    asked = []

    def version(name):
        asked.append(name)
        if name != "tensorflow-cpu":
            raise metadata.PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr(metadata, "version", version)
    assert installed.installed_version("tensorflow") == "2.21.0"
    assert asked[0] == "tensorflow"


def test_a_library_that_does_not_start_is_a_problem(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    found = doctor(log=None)
    assert not found["ok"] and found["backend"] is None
    assert "Keras does not start" in found["problems"][0]
    assert not found["self_test"]


@pytest.mark.slow
def test_a_small_network_is_built_trained_exported_and_asked():
    said = []
    found = doctor(log=said.append)
    assert found["ok"], found["problems"]
    names = [step["step"] for step in found["self_test"]]
    assert names == ["build", "train", "export", "answer"]
    assert all(step["error"] is None for step in found["self_test"])
    assert said == [f"Self-test: {name}" for name in names]


def test_a_step_that_fails_is_named_and_ends_the_test(monkeypatch):
    def train(self):
        raise RuntimeError("no kernel\nfor this")

    monkeypatch.setattr(module._SelfTest, "train", train)
    found = doctor(log=None)
    build, train = found["self_test"]
    assert build["error"] is None
    assert train["error"] == "RuntimeError: no kernel for this"
    assert "failed at train: RuntimeError: no kernel" in found["problems"][0]
    assert not found["ok"]


def test_an_answer_that_is_another_is_noticed():
    test = module._SelfTest("tensorflow")
    test.build()
    answers = keras.activations.softmax(test.model(test.images))
    test.compare(answers)
    with pytest.raises(ValueError, match="answers otherwise, by"):
        test.compare(answers + 0.01)
    with pytest.raises(ValueError, match="answers otherwise"):
        test.compare(answers * float("nan"))


def test_another_backend_saves_in_place_of_exporting(tmp_path):
    names = [name for name, _ in module._SelfTest("jax").steps(tmp_path)]
    assert names == ["build", "train", "save", "answer"]


def test_what_is_no_flag_is_refused():
    with pytest.raises(keras_csg.InputError, match="`self_test` must be True"):
        doctor(self_test="yes")
