"""A classifier small enough to train in a test, and data for it."""

import contextlib
from unittest import mock

import keras
import numpy as np

from keras_csg import CSGClassifier
from keras_csg.backbones import register_backbone, registry
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader
from keras_csg.models.schedules import PathWeights, Schedule

CLASSES = 4
FILTERS = 6


@keras.saving.register_keras_serializable(package="tests")
class ListedSchedule(Schedule):
    """Pairs of weights, one for each epoch; the last stays."""

    def __init__(self, weights):
        self.weights = [list(pair) for pair in weights]

    def __call__(self, epoch):
        return PathWeights(*self.weights[min(epoch, len(self.weights) - 1)])


def tiny_backbone(filters=FILTERS, normalized=True):
    """Two layers, with what makes training stateful: dropout and statistics."""
    images = keras.Input((8, 8, 3), name="images")
    return keras.Model(
        images, tiny_maps(images, filters, normalized), name="tiny"
    )


def tiny_maps(images, filters=FILTERS, normalized=True):
    """Puts the layers of `tiny_backbone` behind images."""
    x = keras.layers.Rescaling(1 / 255)(images)
    x = keras.layers.Conv2D(filters, 3, padding="same", name="conv")(x)
    if normalized:
        x = keras.layers.BatchNormalization(momentum=0.8, name="norm")(x)
        x = keras.layers.SpatialDropout2D(0.1, seed=1, name="dropout")(x)
    return keras.layers.ReLU(name="relu")(x)


@contextlib.contextmanager
def registered_tiny():
    """Gives the tiny backbone a name, and takes it away at the end."""
    with mock.patch.dict(registry._SPECS):
        register_backbone("tiny", family="Tiny", default_size=8, min_size=8)(
            lambda images, weights=None: tiny_maps(images, filters=20)
        )
        yield "tiny"


def tiny_classifier(**kwargs):
    return CSGClassifier(tiny_backbone(), CLASSES, **kwargs)


def tiny_data(samples=70, seed=0):
    """Images whose colour tells the class, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, samples).astype("int32")
    images = rng.uniform(0, 120, (samples, 8, 8, 3)).astype("float32")
    colours = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    images += 120 * colours[labels][:, None, None, :]
    return images, labels


def tiny_split():
    """`tiny_data`, rounded to whole values, as a split."""
    images, labels = tiny_data()
    return IndexedSplit(
        cached_reader(images.astype("uint8")),
        labels,
        np.arange(len(labels)),
        CLASSES,
        images.shape[1:],
        cached=True,
    )


def gate_of(model):
    return keras.ops.convert_to_numpy(model.gate.gate_matrix).copy()
