"""What is the same on most backends; each module takes what fits it."""

import contextlib
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np


def test_step(model: Any, data: Any) -> dict[str, Any]:
    """Evaluates a model on a batch, where variables keep their own values.

    Args:
        model: `DualPathStep`.
        data: a batch, as `evaluate` has it.

    Returns:
        dict of the figures of the step.
    """
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    loss, paths = model.batch_loss(x, y, sample_weight)
    return model.batch_logs(x, y, loss, paths, sample_weight)


def update(optimizer: Any, gradients: list, variables: list) -> None:
    """Takes a step of an optimizer, within that of a model."""
    optimizer.apply(gradients, variables)


def placing(model: keras.Model) -> AbstractContextManager:
    """Returns the context in which to make variables of a model."""
    return contextlib.nullcontext()


def some_of(devices: list, wanted: int | str) -> list:
    """Returns the first devices.

    Args:
        devices: all that there are.
        wanted: number of them; `"auto"` for all.

    Raises:
        ValueError: if there are fewer.
    """
    count = len(devices) if wanted == "auto" else int(wanted)
    if count > len(devices):
        raise ValueError(
            f"`devices` must be at most the number that there are, "
            f"{len(devices)} under {keras.backend.backend()}, or auto. "
            f"Received: devices={wanted}"
        )
    return devices[:count]


def policy_on_gpus(capabilities: Iterable[tuple[int, int]]) -> str | None:
    """Returns the dtype policy that suits all GPUs; `None` without any.

    Args:
        capabilities: the compute capability of each, such as `(8, 0)`.
    """
    least = min(capabilities, default=None)
    if least is None:
        return None
    if least >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if least >= (7, 0) else "float32"


PEER_ERRORS: tuple[type[Exception], ...] = ()
"""What is raised where another process is gone: nothing."""


def join_processes(
    coordinator: str | None, processes: int | None, process_id: int | None
) -> None:
    """Refuses several processes, which train together on JAX alone.

    Raises:
        ValueError: with the way out.
    """
    raise ValueError(
        "Several processes train together on JAX: set KERAS_BACKEND=jax. "
        f"Received: Keras on {keras.backend.backend()}"
    )


def count_processes() -> int:
    """Returns how many train together: one."""
    return 1


def count_threads() -> int:
    """Returns how many threads an operation is computed by."""
    if hasattr(os, "sched_getaffinity"):  # Not everywhere.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def process_index() -> int:
    """Returns the number of this one."""
    return 0


def values_of_all(value: np.ndarray) -> np.ndarray:
    """Returns an array of every process, stacked: of this one."""
    return value[None]


def count_replicas() -> int:
    """Returns 1: JAX spreads one batch, PyTorch's replicas are processes."""
    return 1


def sum_over_replicas(gradient: Any) -> Any:
    """Returns a gradient, which is that of the whole batch."""
    return gradient
