"""A training step by TensorFlow's tape, on one device or on replicas."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import tensorflow as tf

from keras_csg.engines.alike import test_step as test_step
from keras_csg.engines.alike import update as update


def train_step(model: Any, data: Any) -> dict[str, Any]:
    """Trains a model on a batch.

    Args:
        model: `DualPathStep`.
        data: a batch, as `fit` has it.

    Returns:
        dict of the figures of the step.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    variables = model.learned_variables
    # Nothing is kept, nor derived, for what lies before the first of them.
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in variables:
            tape.watch(variable.value)
        loss, paths = model.batch_loss(x, y, sample_weight, training=True)
        scaled_loss = model.optimizer.scale_loss(loss)
    model.apply_gradients(tape.gradient(scaled_loss, variables))
    return model.batch_logs(x, y, loss, paths, sample_weight)


def compiled(
    step: Callable, model: keras.Model, images: Any, state: tuple
) -> Callable:
    """Returns a step that changes a model's variables, as one graph.

    Args:
        step: callable from images and `*state` to a new state. The variables
            that it changes need not keep it.
        model: `keras.Model` that it runs.
        images: Tensor such as it will get; the number of images may differ.
        state: tuple of Tensors.
    """
    return tf.function(
        step,
        input_signature=[
            tf.TensorSpec((None, *images.shape[1:]), images.dtype),
            *(tf.TensorSpec(x.shape, x.dtype) for x in state),
        ],
        autograph=False,
    )


def placing(model: keras.Model) -> AbstractContextManager:
    """Returns the context in which to make variables of a model."""
    return model.distribute_strategy.scope()


def count_replicas() -> int:
    """Returns how many replicas take a part of each batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(gradient: Any) -> Any:
    """Adds up a gradient, as the optimizer does those of the weights."""
    if count_replicas() == 1:
        return gradient
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, gradient)
