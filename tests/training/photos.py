"""Folders of images, and runs on them, that tests may change."""

import keras
import numpy as np
from PIL import Image

import keras_csg
from keras_csg.training import Run, load_run_data


def write(folder, numbers):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        pixels = np.full((8, 8, 3), number, "uint8")
        Image.fromarray(pixels).save(folder / f"{number:03}.png")


def levels(split):
    return set(split.images_and_labels()[0][:, 0, 0, 0].tolist())


def train(path, data, **options):
    keras_csg.train(
        path, data=data, backbone="tiny", batch_size=16, log=None, **options
    )


def data_of(root):
    lines = []
    run = Run(root / "run")
    return load_run_data(run, run.load_model(), log=lines.append), lines


def check_same_weights(one, other):
    """Checks that two runs ended with the same bits."""
    models = [Run(path).load_model() for path in (one, other)]
    for mine, theirs in zip(*(model.weights for model in models), strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(mine), keras.ops.convert_to_numpy(theirs)
        )


class Halt(keras.callbacks.Callback):
    """Stops a training in its second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
