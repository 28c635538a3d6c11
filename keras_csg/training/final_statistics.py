"""The statistics of batch normalization that a finished run keeps."""

from collections.abc import Callable, Iterable
from typing import Any

import keras

from keras_csg.data import ClassificationData
from keras_csg.layers.batch_statistics import (
    layers_with_statistics,
    measure_statistics,
)
from keras_csg.models.classifier import CSGClassifier


def keep_better_statistics(
    model: CSGClassifier,
    data: ClassificationData,
    *,
    batch_size: int,
    seed: int = 0,
    augmentation: str = "none",
    sampling: str = "uniform",
    log: Callable[[str], Any] = print,
) -> dict[str, float]:
    """Measures statistics on augmented and on plain images; keeps the better.

    Weights fit the statistics that they were trained with, those of augmented
    images; the images to come are plain, and by an augmentation that changes
    their scale those differ. Which counts for more depends on the data, so the
    validation split decides, by the accuracies of both paths, or their average
    precisions where an image may have several classes. Between equals it
    is the augmented. All of it is a function of the seed alone, so that a
    resumed run ends with the same bits.

    Args:
        model: compiled `CSGClassifier`.
        data: `ClassificationData`, whose train and validation splits are used.
        batch_size: int, at least 1.
        seed: int. Of the choice of images and of their augmentation.
        augmentation: str. See `keras_csg.data.augmentation`.
        sampling: str. How the images are drawn; see `training_batches`.
        log: callable that takes a line of progress.

    Returns:
        The validation figure by each kind that was measured, the mean of the
        standard and the class-specific one, under `"augmented"` and `"plain"`;
        empty where there was no choice.

    Reference:
        - [Touvron et al., 2019](https://arxiv.org/abs/1906.06423), for what
          crops do to the scale of objects and to the statistics
        - [Wu and Johnson, 2021](https://arxiv.org/abs/2105.07576), for the
          pass over the training images
    """
    layers = layers_with_statistics(model)
    if not layers:
        return {}

    def measure(name):
        measure_statistics(
            model,
            data.train.training_batches(
                batch_size, seed=seed, augmentation=name, sampling=sampling
            ),
        )

    measure(augmentation)
    if augmentation == "none":
        return {}
    validation = data.validation.batches(batch_size)
    augmented = _score(model, validation)
    kept = [
        (variable, keras.ops.copy(variable))
        for layer in layers
        for variable in (layer.moving_mean, layer.moving_variance)
    ]
    measure("none")
    plain = _score(model, validation)
    if augmented >= plain:
        for variable, value in kept:
            variable.assign(value)
    better = "augmented" if augmented >= plain else "plain"
    log(
        f"Batch normalization's statistics: those of {better} images "
        f"({_what(model)} in validation: {augmented:.4f} by augmented, "
        f"{plain:.4f} by plain ones)"
    )
    return {"augmented": augmented, "plain": plain}


def _what(model):
    name = model.score_names[0].replace("_", " ")
    return f"{name}, mean of both paths" if model.gated else name


def _score(model: CSGClassifier, batches: Iterable) -> float:
    figures = model.evaluate(batches, return_dict=True, verbose=0)
    names = model.score_names
    return sum(figures[name] for name in names) / len(names)
