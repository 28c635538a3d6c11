"""The first phase of a training from weights: the head alone.

What lies in front of it rests, so its answers are computed once. A few
thousand steps then take seconds, and the random head does not spoil pretrained
filters when all train. The gate stays open meanwhile: it finds each class the
best filters while these, too, can still change.
"""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_csg.arguments import whole_number
from keras_csg.backbones.freezing import ADDED_CONVOLUTION
from keras_csg.data import ClassificationData
from keras_csg.data.memory import available_memory
from keras_csg.layers.states import fresh_copy, take_state
from keras_csg.models.classifier import CSGClassifier
from keras_csg.training.callbacks.finite_loss import FiniteLoss
from keras_csg.training.optimizers import create_optimizer
from keras_csg.training.options import TrainingOptions

MEMORY_SHARE = 0.25
"""Share of the free memory that cached answers may take."""


def train_head(
    model: CSGClassifier,
    data: ClassificationData,
    optimizer: keras.optimizers.Optimizer,
    *,
    epochs: int,
    batch_size: int,
    seed: int = 0,
    sampling: str = "uniform",
    class_weights: np.ndarray | None = None,
    log: Callable[[str], Any] = print,
) -> dict[str, float]:
    """Trains the head of a classifier while its backbone and its gate rest.

    And the convolution that `filters` added. Images are not augmented.

    Args:
        model: `CSGClassifier`.
        data: `ClassificationData`, whose train and validation splits are used.
        optimizer: a new `keras.optimizers.Optimizer`.
        epochs: int, at least 1.
        batch_size: int, at least 1.
        seed: int. Of the order of the images.
        sampling: str. How they are drawn; see `training_batches`.
        class_weights: float array of shape `(classes,)`: how much each class
            counts; `None` for all alike.
        log: callable that takes a line of progress.

    Returns:
        The figures of the last epoch, by their names.

    Raises:
        ValueError: if a number is out of its range, or the head rests.
        NonFiniteLossError: if the loss becomes infinite or no number.
    """
    epochs = whole_number("epochs", epochs, 1)
    batch_size = whole_number("batch_size", batch_size, 1)
    began = time.monotonic()
    resting, small = _split(model)
    if not small.optimized_variables:
        raise ValueError(
            "There is nothing to train in front of the gate: the head of "
            f"{model.name} rests, as does its backbone."
        )
    budget = MEMORY_SHARE * available_memory()
    size = 4 * int(np.prod(resting.output_shape[1:]))
    most = max(int(budget // size), batch_size)
    stream = data.train.training_batches(
        batch_size, seed=seed, sampling=sampling
    )
    maps, labels = _answers(resting, stream, most)
    log(
        f"The head first: {epochs} epoch{'s' * (epochs > 1)} on the answers of "
        "the resting "
        f"backbone to {len(labels):,} images"
    )
    validation = _answers(resting, data.validation.batches(batch_size), most)
    # The loss that all of it is trained by, where it is compiled.
    loss = getattr(model, "path_loss", "crossentropy")
    small.compile(optimizer, loss=loss)
    history = small.fit(
        maps,
        labels,
        sample_weight=None if class_weights is None else class_weights[labels],
        batch_size=batch_size,
        epochs=epochs,
        validation_data=validation,
        callbacks=[FiniteLoss("head")],
        verbose=0,
    ).history
    _take_over(model, small)
    figures = {name: float(values[-1]) for name, values in history.items()}
    score = model.score_names[0]
    log(_line(score, figures, time.monotonic() - began))
    return figures


def train_head_of(
    options: TrainingOptions,
    model: CSGClassifier,
    data: ClassificationData,
    class_weights: np.ndarray | None,
    log: Callable[[str], Any],
) -> None:
    """Trains the head of a run, by its options; see `train_head`.

    Args:
        options: `TrainingOptions`, filled in.
        model: `CSGClassifier`.
        data: its `ClassificationData`.
        class_weights: see `train_head`.
        log: see there.
    """
    epochs, batch_size = options.head_epochs or 1, options.batch_size or 1
    own = options.replace(
        epochs=epochs, learning_rate=options.head_learning_rate, ema=None
    )
    train_head(
        model,
        data,
        create_optimizer(own, data.train.steps_per_epoch(batch_size)),
        epochs=epochs,
        batch_size=batch_size,
        seed=options.seed,
        sampling=options.sampling,
        class_weights=class_weights,
        log=log,
    )


def _split(model):
    """Returns what rests, and a classifier of its answers."""
    backbone = model.backbone
    added = [x for x in backbone.layers if x.name == ADDED_CONVOLUTION]
    maps = added[0].input if added else model.pooling.output
    resting = keras.Model(backbone.input, maps)
    shape = maps.shape[1:] if added else (1, 1, maps.shape[-1])
    inputs = keras.Input(shape, name="maps")
    if added:
        # Another layer with the same weights: one in two graphs has no output.
        copy = fresh_copy(added[0])
        outputs = copy(inputs)
        take_state(copy, added[0])
        copy.trainable = added[0].trainable
    else:
        outputs = keras.layers.Activation("linear", name="maps_out")(inputs)
    config = model.get_config()
    for name in ("backbone", "frozen", "name", "trainable", "dtype"):
        config.pop(name, None)
    config |= {"schedule": model.schedule, "backbone_rate": 1.0}
    small = CSGClassifier(keras.Model(inputs, outputs), **config)
    take_state(small.head, model.head)
    small.head.trainable = model.head.trainable
    if small.gated:
        take_state(small.gate, model.gate)
        small.gate.trainable = False
    return resting, small


def _take_over(model, small):
    """Gives the classifier what was trained."""
    take_state(model.head, small.head)
    for layer in small.backbone.layers:
        if layer.name == ADDED_CONVOLUTION:
            take_state(model.get_layer(ADDED_CONVOLUTION), layer)


def _answers(resting, batches, most):
    """Returns answers to the first `most` images of batches, and labels."""
    answers, labels = [], []
    count = 0
    for images, numbers in batches:
        given = resting.predict_on_batch(np.asarray(images))
        given = given.reshape(len(given), *_map_shape(given))
        answers.append(given.astype("float32"))
        labels.append(np.asarray(numbers))
        count += len(given)
        if count >= most:
            break
    return np.concatenate(answers)[:most], np.concatenate(labels)[:most]


def _map_shape(given):
    return given.shape[1:] if given.ndim == 4 else (1, 1, given.shape[-1])


def _line(score, figures, seconds):
    return (
        f"The head after {seconds:.0f} s: validation "
        f"{score.replace('_', ' ')} {figures[f'val_{score}']:.4f}"
    )
