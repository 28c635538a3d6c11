"""A training step as a function of all variables' values, as JAX takes it."""

import os
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from keras_csg.engines.alike import count_replicas as count_replicas
from keras_csg.engines.alike import count_threads as count_threads
from keras_csg.engines.alike import placing as placing
from keras_csg.engines.alike import policy_on_gpus
from keras_csg.engines.alike import sum_over_replicas as sum_over_replicas
from keras_csg.engines.alike import update as plain_update
from keras_csg.engines.jax_devices import count_shares as count_shares
from keras_csg.engines.jax_devices import local_devices
from keras_csg.engines.jax_devices import sharing as sharing
from keras_csg.engines.jax_processes import PEER_ERRORS as PEER_ERRORS
from keras_csg.engines.jax_processes import count_processes as count_processes
from keras_csg.engines.jax_processes import join_processes as join_processes
from keras_csg.engines.jax_processes import process_index as process_index
from keras_csg.engines.jax_processes import values_of_all as values_of_all

DETERMINISTIC = "--xla_gpu_deterministic_ops"
"""What JAX has to be started with to be so on a GPU."""


def train_step(model: Any, state: tuple, data: Any) -> tuple:
    """Trains a model on a batch; see `on_tensorflow`.

    What reads and assigns variables elsewhere does so here in a scope that
    keeps their values, which Keras hands in and takes back.

    Args:
        model: `DualPathStep`.
        state: values of its trainable, non-trainable, optimizer's and metrics'
            variables.
        data: a batch.

    Returns:
        A tuple of the figures and the new state.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    kinds = _kinds(model)
    values = _paired(kinds, state)
    learned = model.learned_variables
    moved = model.non_trainable_variables

    def loss_of(learned_values):
        mapping = [*values, *zip(learned, learned_values, strict=True)]
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            loss, paths = model.batch_loss(x, y, sample_weight, training=True)
            scaled_loss = model.optimizer.scale_loss(loss)
        return scaled_loss, (loss, paths, _values_in(scope, moved))

    start = dict((id(variable), value) for variable, value in values)
    gradients, (loss, paths, moved_values) = jax.grad(loss_of, has_aux=True)(
        [start[id(variable)] for variable in learned]
    )
    mapping = [*values, *zip(moved, moved_values, strict=True)]
    with keras.StatelessScope(mapping) as scope:
        model.apply_gradients(gradients)
        logs = model.batch_logs(x, y, loss, paths, sample_weight)
    return logs, tuple(_values_in(scope, kind) for kind in kinds)


def test_step(model: Any, state: tuple, data: Any) -> tuple:
    """Evaluates a model on a batch; see `train_step`.

    Args:
        model: `DualPathStep`.
        state: values of its trainable, non-trainable and metrics' variables.
        data: a batch.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    trainable, non_trainable, _, metrics = _kinds(model)
    kinds = (trainable, non_trainable, metrics)
    mapping = _paired(kinds, state)
    with keras.StatelessScope(mapping, collect_losses=True) as scope:
        loss, paths = model.batch_loss(x, y, sample_weight)
        logs = model.batch_logs(x, y, loss, paths, sample_weight)
    return logs, tuple(_values_in(scope, kind) for kind in kinds)


def update(optimizer: Any, gradients: list, variables: list) -> None:
    """Takes a step of an optimizer, within that of a model."""
    if not hasattr(optimizer, "inner_optimizer"):
        plain_update(optimizer, gradients, variables)
        return
    # A scaled loss that overflows is left out by a condition: JAX takes back
    # what its branches return, not what they assign.
    slots = optimizer.variables
    changed = optimizer.stateless_apply(
        [slot.value for slot in slots],
        gradients,
        [variable.value for variable in variables],
    )
    for owned, values in zip((variables, slots), changed, strict=True):
        for variable, value in zip(owned, values, strict=True):
            variable.assign(value)


def compiled(
    step: Callable, model: keras.Model, images: Any, state: tuple
) -> Callable:
    """Returns a step that changes a model's variables, as one program.

    Args:
        step: see `on_tensorflow.compiled`.
        model: `keras.Model` that it runs.
        images: not used: it is compiled anew for another number of images.
        state: not used.
    """
    variables = model.variables

    @jax.jit
    def run(values, images, *state):
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            return step(images, *state)

    return lambda images, *state: run(
        [variable.value for variable in variables], images, *state
    )


def weighted_gradients(
    function: Callable, model: keras.Model, shape: tuple
) -> Callable:
    """Returns what differentiates by the images; see `on_tensorflow`.

    Args:
        function: see there.
        model: see there.
        shape: not used.
    """
    variables = model.variables

    @jax.jit
    def run(values, images, directions):
        def outputs_of(images):
            pairs = list(zip(variables, values, strict=True))
            with keras.StatelessScope(pairs):
                return function(images)

        _, pull = jax.vjp(outputs_of, images)
        return jax.lax.map(
            lambda direction: jax.numpy.linalg.norm(
                pull(direction)[0], axis=-1
            ),
            directions,
        )

    return lambda images, directions: np.asarray(
        run([variable.value for variable in variables], images, directions)
    )


def gradient_step(
    losses: Callable,
    step: Callable,
    model: keras.Model,
    images: Any,
    state: tuple,
) -> Callable:
    """Returns a step by gradients of the images; see `on_tensorflow`.

    Args:
        losses: see there.
        step: see there.
        model: see there.
        images: not used, nor `state`: each shape is compiled as it comes.
        state: see `images`.
    """
    variables = model.variables

    @jax.jit
    def run(values, images, *state):
        pairs = list(zip(variables, values, strict=True))

        def summed(images):
            with keras.StatelessScope(pairs):
                found = losses(images, *state)
            return found.sum(), found

        gradients, found = jax.grad(summed, has_aux=True)(images)
        return step(gradients, found, images, *state)

    return lambda *arrays: tuple(
        np.asarray(x)
        for x in run([variable.value for variable in variables], *arrays)
    )


def accelerator_policy() -> str | None:
    """Returns the dtype policy for what computes; `None` for processors."""
    devices = local_devices()
    if devices[0].platform == "tpu":
        return "mixed_bfloat16"
    return policy_on_gpus(_capability(x) for x in devices if _is_gpu(x))


def has_gpu() -> bool:
    """Whether a GPU can be used."""
    return any(map(_is_gpu, jax.local_devices()))


def leave_gpus() -> None:
    """Computes on the processor from now on, in the whole process."""
    own = jax.local_devices(backend="cpu")
    jax.config.update("jax_default_device", own[0])


def peak_memory() -> int | None:
    """Returns the most bytes that were in use on a GPU; `None` without one."""
    known = (device.memory_stats() for device in local_devices())
    peaks = [stats["peak_bytes_in_use"] for stats in known if stats]
    return max(peaks, default=None)


def is_deterministic() -> bool:
    """Whether operations give the same bits every time."""
    started_so = DETERMINISTIC in os.environ.get("XLA_FLAGS", "")
    return started_so or not any(map(_is_gpu, local_devices()))


def set_deterministic(wanted: bool) -> None:
    """Sees whether operations give the same bits every time.

    Raises:
        ValueError: if they do not and should. JAX reads the flag at its start.
    """
    if wanted and not is_deterministic():
        raise ValueError(
            "On a GPU JAX is deterministic only if it was started so: set "
            f"XLA_FLAGS={DETERMINISTIC}=true"
        )


def _is_gpu(device):
    return device.platform in ("gpu", "cuda", "rocm")


def _capability(device):
    """Returns such as `(9, 0)`; of AMD, whose text is another, `(0, 0)`."""
    numbers = str(getattr(device, "compute_capability", "")).split(".")
    if not all(number.isdecimal() for number in numbers):
        return (0, 0)
    return tuple(map(int, numbers))


def _kinds(model):
    """Returns the variables in the groups in which Keras hands them in."""
    optimizer = getattr(model, "optimizer", None)
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables if optimizer is not None else [],
        model.metrics_variables,
    )


def _paired(kinds, state):
    return [
        pair
        for variables, values in zip(kinds, state, strict=True)
        for pair in zip(variables, values, strict=True)
    ]


def _values_in(scope, variables):
    return [scope.get_current_value(variable) for variable in variables]
