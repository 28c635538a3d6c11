"""The same steps from the same weights on every backend that is installed."""

import importlib.util
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.data import load_data
from keras_csg.explain import gradient_map
from keras_csg.training import Run
from tests.engines import (
    runs,
    runs_without_tensorflow,
    several_devices,
    shared_classes,
    ten_steps,
    without_tensorflow,
)

TOLERANCES = {"mixed_bfloat16": 0.02, "mixed_float16": 0.01}
"""Of rounding to 16 bits, which each backend does where it sees fit."""
pytestmark = pytest.mark.filterwarnings(
    "ignore:`train_on_batch` knows of no epochs"
)
QUICK = ["soft labels, sample weights"]


def gap(ours, theirs):
    """Returns the largest gap, as a share of what is compared."""
    if not ours.size:
        return 0.0
    return np.abs(ours - theirs).max() / max(np.abs(ours).max(), 0.05)


def largest_gap(case, found, expected):
    gaps = {
        name: gap(expected[name], found[f"{case}: {name}"])
        for name in expected
        # Where the search for the gate's sharpness starts, not what it finds.
        if not name.endswith("sharpness")
    }
    return max(gaps.values()), max(gaps, key=gaps.get)


def run_on(backend, module, *args, **environment):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module.__name__, *args],
        env={**os.environ, "KERAS_BACKEND": backend, **environment},
        check=True,
    )


def steps_on(backend, cases, folder):
    path = folder / "figures.npz"
    run_on(backend, ten_steps, path, *cases)
    with np.load(path) as figures:
        return dict(figures)


def check(backend, cases, folder):
    if keras.backend.backend() == backend:
        pytest.skip("they are compared with the backend of this process")
    found = steps_on(backend, cases, folder)
    others = []
    for case in cases:
        expected = ten_steps.ten_steps(**ten_steps.CASES[case])
        size, name = largest_gap(case, found, expected)
        assert size < TOLERANCES.get(case, 2e-4), (case, name, size)
        # What the cases differ in would not go unnoticed.
        assert all(gap(expected["logits"], o) > 1e-3 for o in others), case
        others.append(expected["logits"])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax"])
def test_ten_steps_are_the_same(backend, tmp_path):
    check(backend, QUICK, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_ten_steps_of_every_kind_are_the_same(backend, tmp_path):
    check(backend, list(ten_steps.CASES), tmp_path)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_it_works_without_tensorflow(backend, tmp_path):
    """And what was saved there predicts the same here."""
    run_on(backend, without_tensorflow, tmp_path)
    model = keras.models.load_model(tmp_path / "model.keras")
    with np.load(tmp_path / "predicted.npz") as there:
        logits = model.predict(there["images"], verbose=0)
        np.testing.assert_allclose(logits, there["logits"], atol=1e-5)


class Begun(keras.callbacks.Callback):
    """Leaves a training before its first epoch."""

    def on_train_begin(self, logs=None):
        raise KeyboardInterrupt


@pytest.mark.slow
def test_a_run_is_trained_where_tensorflow_is_not_and_finished_here(tmp_path):
    options = {"backbone": "resnet20", "data": "digits", "image_size": 8}
    run, images = tmp_path / "run", tmp_path / "images"
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(run, epochs=2, callbacks=[Begun()], **options)
    write_arrays(load_data("digits", image_size=8), images)
    run_on("jax", runs_without_tensorflow, images, run)
    there = json.loads((run / "figures.json").read_text())
    finished = keras_csg.train(run, resume=True)
    assert finished["accuracy"] == pytest.approx(there["accuracy"], abs=0.02)


def write_arrays(data, folder):
    """Writes a folder as `benchmarks/train_on_arrays.py` reads it."""
    folder.mkdir()
    splits = {
        name: getattr(data, name).images_and_labels()
        for name in ("train", "validation", "test")
    }
    first = 0
    for name, (images, _) in splits.items():
        np.save(folder / f"{name}.npy", np.arange(first, first + len(images)))
        first += len(images)
    for number, name in enumerate(("images", "labels")):
        arrays = [np.asarray(split[number]) for split in splits.values()]
        np.save(folder / f"{name}.npy", np.concatenate(arrays).astype("uint8"))
    (folder / "classes.txt").write_text("\n".join(data.class_names))


@pytest.mark.slow
@pytest.mark.parametrize("devices", ["2", "auto"])
@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_several_devices_train_like_one(backend, devices, tmp_path):
    """Of 4 logical processors, with batches that do not divide."""
    environment = several_devices.PROCESSORS
    run_on(backend, several_devices, tmp_path, devices, **environment)


@pytest.mark.slow
def test_classes_are_shared_among_devices():
    run_on("jax", shared_classes, **several_devices.PROCESSORS)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_run_is_trained_resumed_and_measured(backend, tmp_path):
    """And predicts and explains the same here."""
    run_on(backend, runs, tmp_path)
    model = Run(tmp_path / "whole").load_model()
    with np.load(tmp_path / "found.npz") as there:
        images = there["images"]
        logits = model.predict(images, verbose=0)
        np.testing.assert_allclose(logits, there["logits"], atol=1e-5)
        maps = gradient_map(model, images, there["labels"])
        np.testing.assert_allclose(maps, there["maps"], atol=1e-4)
