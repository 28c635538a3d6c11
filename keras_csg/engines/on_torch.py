"""A training step by PyTorch's autograd."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import torch

from keras_csg.engines.alike import PEER_ERRORS as PEER_ERRORS
from keras_csg.engines.alike import count_processes as count_processes
from keras_csg.engines.alike import count_replicas as count_replicas
from keras_csg.engines.alike import join_processes as join_processes
from keras_csg.engines.alike import placing as placing
from keras_csg.engines.alike import policy_on_gpus
from keras_csg.engines.alike import process_index as process_index
from keras_csg.engines.alike import sum_over_replicas as sum_over_replicas
from keras_csg.engines.alike import test_step as plain_test_step
from keras_csg.engines.alike import update as update
from keras_csg.engines.alike import values_of_all as values_of_all


def train_step(model: Any, data: Any) -> dict[str, Any]:
    """Trains a model on a batch; see `on_tensorflow`.

    Args:
        model: `DualPathStep`.
        data: a batch, as `fit` has it.

    Returns:
        dict of the figures of the step.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    variables = model.learned_variables
    loss, paths = model.batch_loss(x, y, sample_weight, training=True)
    gradients = torch.autograd.grad(
        model.optimizer.scale_loss(loss),
        [variable.value for variable in variables],
        allow_unused=True,
    )
    with torch.no_grad():
        model.apply_gradients(list(gradients))
        return model.batch_logs(x, y, loss, paths, sample_weight)


test_step = torch.no_grad()(plain_test_step)


def compiled(
    step: Callable, model: keras.Model, images: Any, state: tuple
) -> Callable:
    """Returns a step that changes a model's variables; see `on_tensorflow`.

    Args:
        step: see there.
        model: not used.
        images: not used.
        state: not used.
    """
    return torch.no_grad()(step)


def weighted_gradients(
    function: Callable, model: keras.Model, shape: tuple
) -> Callable:
    """Returns what differentiates by the images; see `on_tensorflow`.

    Args:
        function: see there.
        model: not used.
        shape: not used.
    """

    def run(images, directions):
        images = keras.ops.convert_to_tensor(images).requires_grad_()
        outputs = function(images)
        norms = []
        for direction in keras.ops.convert_to_tensor(directions):
            (gradients,) = torch.autograd.grad(
                outputs, images, direction, retain_graph=True
            )
            norms.append(torch.linalg.vector_norm(gradients, dim=-1))
        return keras.ops.convert_to_numpy(torch.stack(norms))

    return run


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
        model: not used, nor the next two: nothing is compiled.
        images: see `model`.
        state: see `model`.
    """

    def run(*arrays):
        images, *others = map(keras.ops.convert_to_tensor, arrays)
        images = images.requires_grad_()
        values = losses(images, *others)
        gradients = torch.zeros_like(images)
        if values.requires_grad:  # Else they do not depend on the images.
            (found,) = torch.autograd.grad(
                values.sum(), images, allow_unused=True
            )
            gradients = gradients if found is None else found
        with torch.no_grad():
            moved = step(gradients, values, images, *others)
        return tuple(map(keras.ops.convert_to_numpy, moved))

    return run


def accelerator_policy() -> str | None:
    """Returns the dtype policy for what computes; `None` for processors."""
    if not str(_device()).startswith("cuda"):
        return None
    return policy_on_gpus([torch.cuda.get_device_capability()])


def has_gpu() -> bool:
    """Whether a GPU can be used."""
    return torch.cuda.is_available()


def leave_gpus() -> None:
    """Computes on the processor from now on, in the whole process."""
    keras.device("cpu:0").__enter__()


def peak_memory() -> int | None:
    """Returns the most bytes that were in use on a GPU; `None` without one."""
    if not torch.cuda.is_available():
        return None
    return torch.cuda.max_memory_allocated()


def count_threads() -> int:
    """Returns how many threads an operation is computed by."""
    return torch.get_num_threads()


def is_deterministic() -> bool:
    """Whether operations give the same bits every time."""
    return torch.are_deterministic_algorithms_enabled()


def set_deterministic(wanted: bool) -> None:
    """Makes operations give the same bits every time, or no longer so."""
    torch.use_deterministic_algorithms(wanted)


def sharing(devices: int | str, making: bool) -> AbstractContextManager:
    """Refuses several devices, unless there is but one.

    Args:
        devices: int or `"auto"`.
        making: not used.

    Raises:
        ValueError: if more than one is asked for.
    """
    if devices != "auto":
        raise ValueError(
            "Several devices share a batch on JAX and on TensorFlow, not on "
            "PyTorch: set KERAS_BACKEND, or leave out `devices`. "
            f"Received: devices={devices}"
        )
    return contextlib.nullcontext()


def count_shares() -> int:
    """Returns how many devices share a batch."""
    return 1


def _device():
    """Returns where Keras puts what is made."""
    return keras.ops.zeros(()).device
