"""How a classifier's training treats batch normalization's statistics."""

import itertools
import math
import sys
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from keras_csg.backbones.freezing import rests
from keras_csg.choices import BATCH_STATISTICS
from keras_csg.layers.batch_statistics import (
    MOST_IMAGES,
    layers_with_statistics,
    measure_statistics,
    momentum_fitted_to,
)
from keras_csg.models.image_range import sole_input


class StatisticsTrainer(keras.Model):
    """Trains with batch normalization as `batch_statistics` says.

    It needs `features`, the backbone's answer to images.
    """

    @property
    def batch_statistics(self) -> str:
        """What training does to batch normalization; can be set, too."""
        return self._batch_statistics

    @batch_statistics.setter
    def batch_statistics(self, batch_statistics: str) -> None:
        if batch_statistics not in BATCH_STATISTICS:
            raise ValueError(
                "`batch_statistics` must be one of "
                f"{', '.join(map(repr, BATCH_STATISTICS))}. "
                f"Received: batch_statistics={batch_statistics!r}"
            )
        self._batch_statistics = batch_statistics
        self.train_function = None  # It was traced with what held before.

    def training_features(self, images: Any) -> Any:
        """Returns the features `(batch, filters)` for a step of training.

        A backbone that rests computes as in inference, its dropout too.
        """
        training = not rests(self.backbone)
        if self.batch_statistics != "fitted":
            return self.features(images, training=training)
        with momentum_fitted_to(self.optimizer.iterations):
            return self.features(images, training=training)

    def measure_again(
        self, x: Any, batch_size: int | None, validation_split: float
    ) -> None:
        """Measures the statistics on what `fit` was given, if that can be.

        Args:
            x: first argument of `fit`. Of arrays, a `tf.data.Dataset` and a
                `keras.utils.PyDataset` some images are read a second time;
                other iterables are not.
            batch_size: see `keras.Model.fit`.
            validation_split: see `keras.Model.fit`.
        """
        if self.batch_statistics == "fitted" and layers_with_statistics(self):
            batches = read_again(x, batch_size or 32, validation_split)
            measure_statistics(self, batches)


def read_again(x: Any, batch_size: int, validation_split: float) -> Iterable:
    """Returns batches of what `fit` was given, mixed where they can be.

    Args:
        x: first argument of `fit`.
        batch_size: int. Number of images in a batch of an array.
        validation_split: float. Last share of an array that is not for
            training.

    Returns:
        Iterable of batches, empty where `x` cannot be read a second time.
    """
    x = sole_input(x)
    tensorflow = sys.modules.get("tensorflow")  # Who has a `Dataset` has it.
    if tensorflow and isinstance(x, tensorflow.data.Dataset):
        return x
    if isinstance(x, keras.utils.PyDataset):
        return (x[number] for number in _in_any_order(x.num_batches))
    if hasattr(x, "shape"):
        return _from_array(x, batch_size, validation_split)
    return ()


def _in_any_order(count):
    if count is None or math.isinf(count):
        return itertools.count()
    return np.random.default_rng(0).permutation(count)


def _from_array(images, batch_size, validation_split):
    """Yields a random sample, since arrays may be sorted by class."""
    count = math.floor(len(images) * (1 - validation_split))
    chosen = np.random.default_rng(0).permutation(count)[:MOST_IMAGES]
    for start in range(0, len(chosen), batch_size):
        numbers = np.sort(chosen[start : start + batch_size])
        if isinstance(images, np.ndarray):
            yield images[numbers]
        else:
            yield keras.ops.take(images, numbers, axis=0)
