import importlib
import os
import pathlib
import platform
import tempfile
import time
from collections.abc import Callable
from typing import Any

from keras_csg.commands.arguments import check_flag, logger
from keras_csg.commands.installed import extras, packages, versions_told
from keras_csg.version import UNKNOWN, version

SIZE = 16  # Of the self-test's images.
CLASSES = 3


def doctor(
    *, self_test: bool = True, log: Callable[[str], Any] | None = print
) -> dict[str, Any]:
    """Says what is installed and whether it works.

    Args:
        self_test: bool. Whether a small network is built, trained for one step
            on random images, exported to a temporary folder and asked; ten
            seconds. Nothing is read from or written to anywhere else.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        A dict that JSON can hold: `ok`, bool; `problems`, a list of lines;
        `versions`, `python` and `keras-csg` among them; `platform`; `backend`
        and `devices` as Keras sees them, such as `"cpu:0"`; `packages`, what
        is needed beside what is there; `extras`, the optional parts and how to
        get each; `self_test`, a list of dicts of `step`, `seconds` and
        `error`, `None` where it went well.

    Raises:
        InputError: if an argument is not as described.

    Example:
    >>> keras_csg.doctor(self_test=False, log=None)["problems"]
    []
    """
    check_flag("self_test", self_test)
    log = logger(log)
    needed = packages()
    problems = [_misfit(package) for package in needed if not package["fits"]]
    if version() == UNKNOWN:
        problems.append("keras-csg is not installed: pip install keras-csg")
    backend, devices = None, []
    try:
        backend, devices = _backend()
    except Exception as error:  # Whatever a broken library does.
        problems.append(f"Keras does not start: {_line(error)}")
    steps = []
    if self_test and backend is not None:
        steps = _self_test(backend, log)
        problems += [
            f"The self-test failed at {step['step']}: {step['error']}"
            for step in steps
            if step["error"]
        ]
    return {
        "ok": not problems,
        "problems": problems,
        "versions": {
            "keras-csg": version(),
            "python": platform.python_version(),
            **versions_told(),
        },
        "platform": platform.platform(),
        "backend": backend,
        "devices": devices,
        "packages": needed,
        "extras": extras(),
        "self_test": steps,
    }


def _misfit(package):
    have = package["installed"] or "not installed"
    wanted = f"{package['name']}{package['needed']}"
    return f"{wanted} is needed, and it is {have}: pip install '{wanted}'"


def _backend():
    keras = importlib.import_module("keras")
    return keras.backend.backend(), list(keras.distribution.list_devices())


def _self_test(backend, log):
    """Runs the steps in their order, up to the first that fails."""
    test = _SelfTest(backend)
    done = []
    with tempfile.TemporaryDirectory() as folder:
        for name, step in test.steps(pathlib.Path(folder)):
            log(f"Self-test: {name}")
            started, error = time.perf_counter(), None
            try:
                step()
            except Exception as fault:
                error = _line(fault)
            seconds = round(time.perf_counter() - started, 2)
            done.append({"step": name, "seconds": seconds, "error": error})
            if error:
                break
    return done


class _SelfTest:
    """A network that is built, trained for a step, written and asked."""

    def __init__(self, backend: str):
        self.backend = backend
        self.model: Any = None
        self.images: Any = None

    def steps(self, folder):
        yield "build", self.build
        yield "train", self.train
        if self.backend == "tensorflow":  # Which writes the files.
            path = folder / "model.onnx"
            yield "export", lambda: self.export(path)
            yield "answer", lambda: self.compare(self.exported(path))
        else:
            path = folder / "model.keras"
            yield "save", lambda: self.model.save(path)
            yield "answer", lambda: self.compare(self.loaded(path))

    def build(self):
        import keras
        import numpy as np

        from keras_csg.models.build import build

        images = keras.Input((SIZE, SIZE, 3), name="images")
        x = keras.layers.Rescaling(1 / 255)(images)
        x = keras.layers.Conv2D(8, 3, activation="relu", name="conv")(x)
        backbone = keras.Model(images, x, name="self_test")
        self.model = build(backbone, CLASSES)
        pixels = np.random.default_rng(0).uniform(0, 255, (8, SIZE, SIZE, 3))
        self.images = pixels.astype("float32")

    def train(self):
        import numpy as np

        labels = np.arange(len(self.images)) % CLASSES
        self.model.compile("sgd")
        self.model.fit(self.images, labels, batch_size=8, verbose=0)

    def export(self, path: pathlib.Path):
        from keras_csg.deployment.exporting import export

        export(self.model, path)

    def exported(self, path: os.PathLike):
        from keras_csg.deployment.opening import open_exported

        return open_exported(path).answer(self.images)["probabilities"]

    def loaded(self, path: os.PathLike):
        import keras

        loaded = keras.saving.load_model(path)
        return keras.activations.softmax(loaded(self.images))

    def compare(self, answered):
        import keras
        import numpy as np

        logits = self.model(self.images)
        expected = keras.ops.convert_to_numpy(keras.activations.softmax(logits))
        gap = np.abs(keras.ops.convert_to_numpy(answered) - expected).max()
        if not gap < 1e-4:
            raise ValueError(
                f"What was written answers otherwise, by {gap:.2g}."
            )


def _line(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]
