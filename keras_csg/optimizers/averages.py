"""An optimizer's averages of variables that are not all of a model's."""

import contextlib
from collections.abc import Iterator
from typing import Any

from keras import ops


@contextlib.contextmanager
def averages_of(optimizer: Any, variables: list) -> Iterator[None]:
    """Lets an optimizer end with the averages of its own variables.

    At its end `fit` hands it all trainable ones of the model, also a gate that
    a budget closes, of which it has no average (`use_ema`).

    Args:
        optimizer: `keras.optimizers.Optimizer`, or `None`.
        variables: list of the variables that it updates.
    """
    if optimizer is None:
        yield
        return
    finalize = optimizer.finalize_variable_values

    def finalize_own(_):
        finalize(variables)
        if getattr(optimizer, "use_ema", False):
            _part(variables)

    optimizer.finalize_variable_values = finalize_own
    try:
        yield
    finally:
        del optimizer.finalize_variable_values


def take_averages(optimizer: Any, variables: list) -> None:
    """Gives variables the averages that an optimizer with `use_ema` has.

    Args:
        optimizer: `keras.optimizers.Optimizer` with `use_ema`.
        variables: list of the variables that it updates.
    """
    optimizer.finalize_variable_values(variables)
    _part(variables)


def _part(variables):
    # On JAX a variable and its average would be one array, which the next
    # step gives away twice.
    for variable in variables:
        variable.assign(ops.copy(variable))
