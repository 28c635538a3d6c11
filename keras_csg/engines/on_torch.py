"""A training step by PyTorch's autograd."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
import torch


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


def test_step(model: Any, data: Any) -> dict[str, Any]:
    """Evaluates a model on a batch; see `train_step`."""
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    with torch.no_grad():
        loss, paths = model.batch_loss(x, y, sample_weight)
        return model.batch_logs(x, y, loss, paths, sample_weight)


def update(optimizer: Any, gradients: list, variables: list) -> None:
    """Takes a step of an optimizer, within that of a model."""
    optimizer.apply(gradients, variables)


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


def placing(model: keras.Model) -> AbstractContextManager:
    """Returns the context in which to make variables of a model."""
    return contextlib.nullcontext()


def count_replicas() -> int:
    """Returns 1: the replicas of PyTorch are processes of their own."""
    return 1


def sum_over_replicas(gradient: Any) -> Any:
    """Returns a gradient, which is that of the whole batch."""
    return gradient
