"""Statistics of batch normalization that fit the length of a training."""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import ops

from keras_csg.engines import engine
from keras_csg.private_api import flat_layers

MOST_IMAGES = 4096
"""Images that statistics are measured on where nobody says."""

# What holds in a thread: replicas of a distributed step are traced by threads
# that take turns.
_local = threading.local()


def fitted_momentum(own: float, steps: Any) -> Any:
    """Returns the momentum of moving statistics after some steps.

    `(1 + steps) / (10 + steps)`, but not above the layer's own: the average
    reaches back over a ninth of the steps so far, so that the initial value is
    gone after a few dozen and the figures of every epoch can be read.

    Args:
        own: float in `[0, 1)`. Momentum that the layer was made with.
        steps: int or scalar Tensor. Number of steps done.

    Reference:
        - [Shamir and Zhang, 2013](https://arxiv.org/abs/1212.1824), averages
          whose weights grow with the step
        - `num_updates` of `tf.train.ExponentialMovingAverage`
    """
    return ops.minimum(own, (1.0 + steps) / (10.0 + steps))


@contextlib.contextmanager
def momentum_fitted_to(steps: Any) -> Iterator[None]:
    """Lets `FusedBatchNormalization` use `fitted_momentum`, in this thread.

    Args:
        steps: scalar int Tensor. Number of steps done.
    """
    outer = steps_done()
    _local.steps = steps
    try:
        yield
    finally:
        _local.steps = outer


def steps_done() -> Any:
    """Returns what the innermost `momentum_fitted_to` was given, or `None`."""
    return getattr(_local, "steps", None)


def is_measuring() -> bool:
    """Whether this thread is within `measure_statistics`."""
    return getattr(_local, "measuring", False)


def layers_with_statistics(
    model: keras.Model,
) -> list[keras.layers.BatchNormalization]:
    """Returns the layers whose moving statistics training changes.

    Not those that are not trainable or frozen, nor those with `renorm`, whose
    training itself uses them.
    """
    return [
        layer
        for layer in flat_layers(model)
        if isinstance(layer, keras.layers.BatchNormalization)
        and layer.built
        and layer.trainable
        and not layer.renorm
        and getattr(layer, "moves_statistics", True)
    ]


def measure_statistics(
    model: keras.Model, batches: Iterable, images: int = MOST_IMAGES
) -> None:
    """Replaces the moving statistics of a model by those of some images.

    One pass in training mode, in which every layer normalizes by its batch.
    The moving mean and variance become those over all images of the pass; a
    smaller batch counts for less. Nothing else of the model changes. A few
    thousand images do.

    Args:
        model: built `keras.Model` of one input.
        batches: iterable of batches of images, or of tuples of images and
            labels as `fit` takes them. Every batch should hold all kinds of
            images: not sorted by class.
        images: int, at least 1. Number of images after which to stop.

    Raises:
        ValueError: if `images` is below 1.

    Reference:
        - [Wu and Johnson, 2021](https://arxiv.org/abs/2105.07576), section 3
        - [Chan et al., 1979](http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf),
          for the update of mean and variance
    """
    if images < 1:
        raise ValueError(
            f"`images` must be at least 1. Received: images={images}"
        )
    layers = layers_with_statistics(model)
    if not layers:
        return
    with _put_back_afterwards(model, layers):
        moments = _measure(model, layers, _first(batches, images))
    if moments is not None:
        _assign(layers, *moments)


@contextlib.contextmanager
def _put_back_afterwards(model, layers):
    """Makes the layers' statistics those of the last batch, for a while."""
    momenta = [layer.momentum for layer in layers]
    kept = [(v, ops.copy(v)) for v in model.variables if not v.trainable]
    try:
        _local.measuring = True
        for layer in layers:
            layer.momentum = 0.0
            # Zero times infinity would stay in the sum.
            for statistic in (layer.moving_mean, layer.moving_variance):
                finite = ops.isfinite(statistic)
                value = ops.convert_to_tensor(statistic)
                statistic.assign(ops.where(finite, value, 0.0))
        yield
    finally:
        _local.measuring = False
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for variable, value in kept:
            variable.assign(value)


def _first(batches, count):
    """Yields the first images of the batches, cut off after `count`."""
    for batch in batches:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        (images,) = keras.tree.flatten(x)
        images = ops.convert_to_tensor(images)[:count]
        yield images
        count -= len(images)
        if not count:
            return


def _measure(model, layers, batches):
    """Returns mean and variance of all layers' channels, one behind another."""

    def step(images, seen, mean, variance):
        model(images, training=True)
        count = ops.cast(ops.shape(images)[0], "float32")
        share = count / (seen + count)
        batch_mean, batch_variance = _statistics(layers)
        shift = batch_mean - mean
        mean = mean + share * shift
        variance = variance + share * (batch_variance - variance)
        variance = variance + share * (1 - share) * shift**2
        return seen + count, mean, variance

    state = None
    for images in batches:
        if state is None:
            state = (ops.zeros(()), *map(ops.zeros_like, _statistics(layers)))
            if not getattr(model, "run_eagerly", False):
                step = engine.compiled(step, model, images, state)
        state = step(images, *state)
    return None if state is None else state[1:]


def _statistics(layers):
    return tuple(
        ops.concatenate([ops.cast(x, "float32") for x in statistics], axis=0)
        for statistics in (
            [layer.moving_mean for layer in layers],
            [layer.moving_variance for layer in layers],
        )
    )


def _assign(layers, mean, variance):
    start = 0
    for layer in layers:
        stop = start + layer.moving_mean.shape[0]
        layer.moving_mean.assign(mean[start:stop])
        layer.moving_variance.assign(variance[start:stop])
        start = stop
