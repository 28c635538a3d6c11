"""Several processes that train together with JAX, on one machine or many."""

import jax
import numpy as np

PEER_ERRORS: tuple[type[Exception], ...] = (jax.errors.JaxRuntimeError,)
"""What is raised where another process is gone, among other things."""
PATIENCE = 60
"""Seconds without a sign of life, after which a process counts as gone."""


def join_processes(
    coordinator: str | None, processes: int | None, process_id: int | None
) -> None:
    """Makes this process one of several, before JAX computes anything.

    Args:
        coordinator: see `jax.distributed.initialize`, as for the others.
        processes: see there.
        process_id: see there.

    Raises:
        ValueError: if it cannot.
    """
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process_id,
            heartbeat_timeout_seconds=PATIENCE,
        )
    except (RuntimeError, TypeError) as error:
        line = str(error).strip().splitlines()[0]
        raise ValueError(
            f"The processes do not find each other: {line}"
        ) from error


def count_processes() -> int:
    """Returns how many train together."""
    return jax.process_count()


def process_index() -> int:
    """Returns the number of this one, from 0."""
    return jax.process_index()


def values_of_all(value: np.ndarray) -> np.ndarray:
    """Returns an array of every process, stacked in their order.

    Args:
        value: array, of the same shape in all.
    """
    if count_processes() == 1:
        return value[None]
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(value))
