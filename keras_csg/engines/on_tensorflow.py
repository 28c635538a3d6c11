"""A training step by TensorFlow's tape, on one device or on replicas."""

import concurrent.futures
import contextlib
import functools
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_csg import private_api
from keras_csg.engines.alike import PEER_ERRORS as PEER_ERRORS
from keras_csg.engines.alike import count_processes as count_processes
from keras_csg.engines.alike import count_threads as count_processors
from keras_csg.engines.alike import join_processes as join_processes
from keras_csg.engines.alike import policy_on_gpus, some_of
from keras_csg.engines.alike import process_index as process_index
from keras_csg.engines.alike import test_step as test_step
from keras_csg.engines.alike import update as update
from keras_csg.engines.alike import values_of_all as values_of_all


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


def weighted_gradients(
    function: Callable, model: keras.Model, shape: tuple
) -> Callable:
    """Returns what differentiates weighted sums of outputs by the images.

    Args:
        function: callable from images to outputs `(samples, n)`.
        model: `keras.Model` that it runs.
        shape: of an image.

    Returns:
        Callable from images `(samples, *shape)` and directions `(d, samples,
        n)` to an array of shape `(d, samples, *shape[:-1])`: the L2 norms of
        the gradients over the channels. One pass forwards, and one backwards
        for each direction.
    """

    def differentiate(images, directions):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            outputs = function(images)

        def norms(direction):
            gradients = tape.gradient(outputs, images, direction)
            return tf.norm(gradients, axis=-1)

        return tf.map_fn(norms, directions, parallel_iterations=1)

    compiled = tf.function(differentiate).get_concrete_function(
        tf.TensorSpec([None, *shape]), tf.TensorSpec([None, None, None])
    )
    return lambda images, directions: np.asarray(compiled(images, directions))


def gradient_step(
    losses: Callable,
    step: Callable,
    model: keras.Model,
    images: Any,
    state: tuple,
) -> Callable:
    """Returns a step that goes by the gradients of losses by the images.

    Args:
        losses: callable from images and `*state` to losses `(samples,)`, each
            of its own image.
        step: callable from gradients, losses, images and `*state` to a tuple
            of Tensors.
        model: `keras.Model` that `losses` runs.
        images: array such as it will get; the number of images may differ.
        state: tuple of arrays, one entry an image, or of scalars.

    Returns:
        Callable from images and `*state`, arrays, to a tuple of arrays.
    """

    def differentiate(images, *state):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            values = losses(images, *state)
        # Of what does not depend on the images, none.
        gradients = tape.gradient(
            values, images, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return step(gradients, values, images, *state)

    compiled = tf.function(
        differentiate,
        input_signature=[_any_number(x) for x in (images, *state)],
        autograph=False,
    )
    return lambda *arrays: tuple(
        np.asarray(x) for x in compiled(*map(tf.convert_to_tensor, arrays))
    )


def _any_number(array):
    """Returns the signature of an array whose first axis is the samples."""
    array = np.asarray(array)
    shape = (None, *array.shape[1:]) if array.ndim else ()
    return tf.TensorSpec(shape, array.dtype)


def accelerator_policy() -> str | None:
    """Returns the dtype policy for what computes; `None` for processors."""
    gpus = tf.config.get_visible_devices("GPU")
    details = map(tf.config.experimental.get_device_details, gpus)
    return policy_on_gpus(x.get("compute_capability", (0, 0)) for x in details)


def has_gpu() -> bool:
    """Whether a GPU can be used."""
    return bool(tf.config.list_physical_devices("GPU"))


def leave_gpus() -> None:
    """Computes on the processor from now on, in the whole process.

    TensorFlow has no way back.

    Raises:
        RuntimeError: if a GPU is in use already.
    """
    if tf.config.get_visible_devices("GPU"):
        tf.config.set_visible_devices([], "GPU")


def peak_memory() -> int | None:
    """Returns the most bytes that were in use on a GPU; `None` without one."""
    gpus = tf.config.get_visible_devices("GPU")
    peaks = [
        tf.config.experimental.get_memory_info(f"GPU:{number}")["peak"]
        for number in range(len(gpus))
    ]
    return max(peaks, default=None)


def count_threads() -> int:
    """Returns how many threads an operation is computed by."""
    said = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return (
        tf.config.threading.get_intra_op_parallelism_threads()
        or (int(said) if said.isdecimal() else 0)
        or count_processors()
    )


def is_deterministic() -> bool:
    """Whether operations give the same bits every time."""
    return private_api.op_determinism()


def set_deterministic(wanted: bool) -> None:
    """Makes operations give the same bits every time, or no longer so."""
    if wanted:
        tf.config.experimental.enable_op_determinism()
    else:
        private_api.disable_op_determinism()


def placing(model: keras.Model) -> AbstractContextManager:
    """Returns the context in which to make variables of a model."""
    return model.distribute_strategy.scope()


def sharing(devices: int | str, making: bool) -> AbstractContextManager:
    """Returns the context in which a model is made and trained on several.

    Each replica gets its part of a batch, and normalizes it by itself.

    Args:
        devices: int or `"auto"`: how many GPUs, or processors without any.
        making: bool. Whether the model is made in it, which remembers it.
            Another model made while it trains would do all twice.

    Raises:
        ValueError: if there are fewer.
    """
    known = tf.config.list_logical_devices("GPU")
    known = known or tf.config.list_logical_devices("CPU")
    names = tuple(device.name for device in some_of(known, devices))
    return _mirrored(names).scope() if making else contextlib.nullcontext()


@functools.cache
def _mirrored(names):
    # One for all: each would count its reductions from the same number.
    return tf.distribute.MirroredStrategy(names)


def count_shares() -> int:
    """Returns how many devices share a batch."""
    return count_replicas()


def count_replicas() -> int:
    """Returns how many replicas take a part of each batch."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def sum_over_replicas(gradient: Any) -> Any:
    """Adds up a gradient, as the optimizer does those of the weights."""
    if count_replicas() == 1:
        return gradient
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, gradient)


def outside_strategies(call: Callable[[], Any]) -> Any:
    """Calls a function where no strategy distributes what it does.

    Within the scope of one, what is traced or loaded belongs to its replicas.
    A scope is a thread's own, so another thread is outside of it.

    Args:
        call: callable without arguments.

    Returns:
        What it returns.
    """
    if not tf.distribute.has_strategy():
        return call()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
