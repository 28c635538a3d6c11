"""Trains runs from images in memory, where TensorFlow is not installed.

    KERAS_BACKEND=jax python benchmarks/train_on_arrays.py IMAGES RUN...

Such as on a GPU that nothing can be installed on. A RUN is a directory with a
`config.json`, begun by `keras-csg train` or `benchmarks/study.py` and stopped
before its first epoch; of the study's the folder's name says what else it
changes. Trained here to its last epoch, it is finished, statistics, test split
and pictures, by `keras-csg train --resume --out RUN` where TensorFlow is; or
measured here with `--measure`, which leaves `RUN/figures.json`.

IMAGES is a folder of arrays: `images.npy`, uint8, `labels.npy`, and the places
in them of `train.npy`, `validation.npy` and `test.npy`, and `classes.txt`. One
in RUN by the name of `images` counts instead. A backbone that
needs what is not installed here is read from `RUN/backbone.json`, what its
`to_json()` gave where it is. Crops and flips are drawn as in
`keras_csg.data.augmentation`, from other random numbers.
"""

import contextlib
import multiprocessing
import os
import pathlib
import time
import types
from concurrent import futures

import click
import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
# Several processes share the device.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def shifted(images, rng, mirror):
    """Moves images by up to an eighth of their size; mirrors every second."""
    count, height, width = images.shape[:3]
    padding = width // 8
    padded = np.pad(images, ((0, 0), (padding,) * 2, (padding,) * 2, (0, 0)))
    offsets = rng.integers(0, 2 * padding + 1, (2, count, 1))
    rows = offsets[0] + np.arange(height)
    columns = np.tile(np.arange(width), (count, 1))
    mirrored = (rng.random(count) < 0.5) & mirror
    columns[mirrored] = columns[mirrored, ::-1]
    columns += offsets[1]
    each = np.arange(count)[:, None, None]
    return padded[each, rows[:, :, None], columns[:, None, :]]


def zoomed(images, rng, mirror, least):
    """Enlarges a random part of every image to its size; mirrors some."""
    from PIL import Image

    count, height, width = images.shape[:3]
    draws = rng.random((5, count))
    root = np.sqrt(least + (1 - least) * draws[0])
    ratio = np.exp((2 * draws[1] - 1) * np.log(4 / 3) / 2)
    parts = np.minimum(root / ratio, 1), np.minimum(root * ratio, 1)
    corners = draws[2] * (1 - parts[0]), draws[3] * (1 - parts[1])
    found = np.empty_like(images)
    for number, pixels in enumerate(images):
        top, left = corners[0][number] * height, corners[1][number] * width
        box = (
            left,
            top,
            left + parts[1][number] * width,
            top + parts[0][number] * height,
        )
        found[number] = Image.fromarray(pixels).resize(
            (width, height), Image.Resampling.BILINEAR, box=box
        )
    mirrored = (draws[4] < 0.5) & mirror
    found[mirrored] = found[mirrored, :, ::-1]
    return found


def augmenter(names):
    """Returns a function of images and a generator of random numbers."""
    from keras_csg.data.image_sizes import SMALL_IMAGE

    name, _, area = names.partition(":")
    if name == "none":
        return lambda images, rng: images
    if name not in ("crop", "crop_flip"):
        raise click.UsageError(f"No arrays are augmented by {names!r}.")

    def augment(images, rng):
        mirror = name == "crop_flip"
        if images.shape[1] > SMALL_IMAGE:
            return zoomed(images, rng, mirror, float(area or 0.25))
        return shifted(images, rng, mirror)

    return augment


def batches_of(folder, split, batch_size, seed=0, names=None, workers=1):
    """Returns the batches of a split: mixed and augmented for training."""
    import keras

    images = np.load(folder / "images.npy", mmap_mode="r")
    labels = np.load(folder / "labels.npy").astype("int32")
    numbers = np.load(folder / f"{split}.npy")
    augment = augmenter(names or "none")

    class Batches(keras.utils.PyDataset):
        epoch = 0

        def __len__(self):
            return -(-len(numbers) // batch_size)

        def __getitem__(self, batch):
            order = numbers
            if names is not None:
                rng = np.random.default_rng([seed, self.epoch])
                order = rng.permutation(numbers)
            start = batch * batch_size
            own = order[start : start + batch_size]
            rng = np.random.default_rng([seed, self.epoch, batch + 1])
            return augment(images[own], rng), labels[own]

        def __iter__(self):
            return map(self.__getitem__, range(len(self)))

        def on_epoch_end(self):
            self.epoch += 1

    return Batches(workers=workers, max_queue_size=32)


class Split:
    """What `keras_csg` asks of a split when it measures a network."""

    def __init__(self, folder, split):
        self.folder, self.split = folder, split

    def batches(self, batch_size):
        """Returns the batches in the order of the images."""
        return batches_of(self.folder, self.split, batch_size)

    def training_batches(self, batch_size, *, seed, augmentation, **_):
        """Returns them mixed and augmented."""
        return batches_of(
            self.folder, self.split, batch_size, seed, augmentation
        )


def train(path, folder, workers, measured):
    """Trains a run to its last epoch; returns a line about it."""
    import study

    from keras_csg.training import Run

    run = Run(path)
    options = run.options
    name = path.name.rpartition("-")[0]
    settings = {name.replace(" ", "-"): name for name in study.SETTINGS}
    with contextlib.ExitStack() as stack:
        for patch in study.patches(settings.get(name, "")):
            stack.enter_context(patch)
        log = stack.enter_context(open(f"{path}.log", "a", buffering=1))
        stack.enter_context(contextlib.redirect_stdout(log))
        began = time.monotonic()
        own = path / "images"
        folder = own if own.exists() else folder
        model = _fit(run, options, folder, workers)
        if measured:
            _measure(run, options, model, folder)
    return f"{path.name}: {time.monotonic() - began:.0f} s"


def _fit(run, options, folder, workers):
    import keras

    from keras_csg.data.image_reading import ImageReading
    from keras_csg.models import GateScheduler
    from keras_csg.training.backup_files import find_backup
    from keras_csg.training.callbacks import FiniteLoss, RunBackup
    from keras_csg.training.callbacks.backup import restore
    from keras_csg.training.callbacks.epoch_lines import EpochLines
    from keras_csg.training.going_on import take_history
    from keras_csg.training.model import create_model
    from keras_csg.training.pretrained import build_for

    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    batch_size, seed = options.batch_size, options.seed
    training = batches_of(
        folder, "train", batch_size, seed, options.augment, workers
    )
    labels = np.load(folder / "labels.npy")
    shape = np.load(folder / "images.npy", mmap_mode="r").shape[1:]
    data = types.SimpleNamespace(
        num_classes=int(labels.max()) + 1,
        class_names=(folder / "classes.txt").read_text().splitlines(),
        reading=ImageReading(**options.reading),
    )
    stored = run.path / "backbone.json"
    if stored.exists():
        backbone = keras.models.model_from_json(stored.read_text())
    else:
        backbone, _ = build_for(options, shape, weights=options.weights)
    model = create_model(options, data, backbone, len(training))
    backup = find_backup(run.backup_path, print)
    history, first = take_history(run, backup, print), 0
    if backup is not None:
        restore(backup.path, model)
        training.epoch = first = backup.epochs
    own = RunBackup(run.backup_path, history, options.to_dict())
    callbacks = [FiniteLoss(), own]
    if model.gated:
        callbacks.insert(0, GateScheduler(report=print))
    model.fit(
        training,
        initial_epoch=first,
        epochs=options.epochs,
        validation_data=batches_of(folder, "validation", batch_size),
        callbacks=[*callbacks, EpochLines(options.epochs, print)],
        shuffle=False,
        measure_again=False,
        verbose=0,
    )
    return model


def _measure(run, options, model, folder):
    from keras_csg.evaluation import evaluate_classification
    from keras_csg.files import write_json
    from keras_csg.training.final_statistics import keep_better_statistics

    names = ("train", "validation", "test")
    data = types.SimpleNamespace(**{n: Split(folder, n) for n in names})
    if options.batch_statistics == "fitted":
        keep_better_statistics(
            model,
            data,
            batch_size=options.batch_size,
            seed=options.seed,
            augmentation=options.augment,
        )
    figures, *_ = evaluate_classification(model, data.test, options.batch_size)
    seconds = sum(run.history.column("seconds"))
    figures["training_minutes"] = round(seconds / 60, 2)
    write_json(run.path / "figures.json", figures)


@click.command()
@click.argument("images", type=click.Path(path_type=pathlib.Path))
@click.argument("runs", nargs=-1, type=click.Path(path_type=pathlib.Path))
@click.option("--jobs", default=1, show_default=True, help="Runs side by side.")
@click.option(
    "--workers", default=2, show_default=True, help="Threads of each."
)
@click.option("--measure", is_flag=True, help="On the test split, too.")
def main(images, runs, jobs, workers, measure):
    """Train RUNS to their last epochs on the arrays in IMAGES."""
    pool = futures.ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        max_tasks_per_child=1,
    )
    with pool:
        begun = [
            pool.submit(train, run, images, workers, measure) for run in runs
        ]
        for done in futures.as_completed(begun):
            print(done.exception() or done.result(), flush=True)


if __name__ == "__main__":
    main()
