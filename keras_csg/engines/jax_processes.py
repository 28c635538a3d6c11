"""Several processes that train together with JAX, on one machine or many."""

import jax
import numpy as np

from keras_csg.choices import is_address

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
    if coordinator is not None and not is_address(coordinator):
        raise ValueError(
            f"`coordinator` must be HOST:PORT. Received: {coordinator!r}"
        )
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process_id,
            heartbeat_timeout_seconds=PATIENCE,
        )
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(_reason(str(error).strip().splitlines()[0])) from error


def _reason(line):
    """Returns why processes did not join, of what JAX says."""
    if "must be called before" in line:
        return "Processes must join before anything is computed with JAX."
    if "should be defined" in line:
        return (
            "Neither Slurm, Open MPI nor Kubernetes says who trains together: "
            "give the address of process 0, how many they are and the number "
            "of this one."
        )
    return f"The processes do not find each other: {line}"


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
