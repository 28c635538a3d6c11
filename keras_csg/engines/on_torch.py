"""A training step by PyTorch's autograd."""

from collections.abc import Callable
from typing import Any

import keras
import torch

from keras_csg.engines.alike import count_replicas as count_replicas
from keras_csg.engines.alike import placing as placing
from keras_csg.engines.alike import sum_over_replicas as sum_over_replicas
from keras_csg.engines.alike import test_step as plain_test_step
from keras_csg.engines.alike import update as update


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
