"""Runs on one and on several of 4 logical processors have to end alike.

KERAS_BACKEND=jax python -m tests.engines.several_devices FOLDER N|auto

One number in a process: TensorFlow knows one group of devices in its life.
"""

import pathlib
import sys
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import keras_csg
from keras_csg.backbones import register_backbone, registry
from keras_csg.engines import engine
from keras_csg.training import Run

MOST = 4
PROCESSORS = {"XLA_FLAGS": f"--xla_force_host_platform_device_count={MOST}"}
"""What JAX has to find in the environment when it starts."""
# TensorFlow's replicas normalize their own images and draw their own dropout.
ALIKE = keras.backend.backend() == "jax"
OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "augment": "none",
    "backbone": "tiny",
    "epochs": 1,
    "batch_size": 64,  # The last of an epoch holds 13, of validation 16.
    "optimizer": "sgd",  # Adam would make much of what is not quite zero.
    "learning_rate": 0.1,
    "precision": "float32",
    "filter_dropout": 0.7 if ALIKE else 0.0,
}


def maps_of(images, weights=None):
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(20, 3, padding="same")(x)
    if ALIKE:
        x = keras.layers.BatchNormalization()(x)
    else:
        x = keras.layers.GroupNormalization(4)(x)
    return keras.layers.ReLU()(x)


def trained(path, devices):
    shares = []

    class Count(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            shares.append(
                engine.count_shares()
                if ALIKE
                else self.model.distribute_strategy.num_replicas_in_sync
            )

    figures = keras_csg.train(
        path, devices=devices, callbacks=[Count()], log=None, **OPTIONS
    )
    assert shares == [MOST if devices == "auto" else devices]
    run = Run(path)
    return figures, run.history.columns(), run.load_model().get_weights()


def check_alike(one, several):
    figures, history, weights = one
    other_figures, other_history, other_weights = several
    assert history["l1_density"][-1] < 0.2
    for name in ("loss", "val_loss", "class_specific_loss", "l1_density"):
        np.testing.assert_allclose(
            history[name], other_history[name], rtol=2e-3, err_msg=name
        )
    for ours, theirs in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)
    assert abs(figures["accuracy"] - other_figures["accuracy"]) < 0.01


def check_refused(folder):
    for devices, batch_size, words in (
        (MOST + 1, 64, "number that there are, 4"),
        (2, 63, "must divide by the number of devices, 2"),
    ):
        options = {**OPTIONS, "batch_size": batch_size}
        try:
            keras_csg.train(folder, devices=devices, log=None, **options)
        except ValueError as error:
            assert words in str(error), error
        else:
            raise AssertionError(words)
        assert not folder.exists()


def main(folder, devices):
    with mock.patch.dict(registry._SPECS):
        register_backbone("tiny", family="Tiny", default_size=8, min_size=8)(
            maps_of
        )
        one = trained(folder / "one", 1)
        check_alike(one, trained(folder / "several", devices))
        check_refused(folder / "refused")


if __name__ == "__main__":
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * MOST,
    )
    given = sys.argv[2]
    main(pathlib.Path(sys.argv[1]), given if given == "auto" else int(given))
