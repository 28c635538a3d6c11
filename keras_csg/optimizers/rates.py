import functools
from collections.abc import Iterable
from typing import Any

import keras

from keras_csg.private_api import place_of, stand_in_for


def scale_rates(
    optimizer: keras.optimizers.Optimizer,
    variables: Iterable[Any],
    factor: float,
) -> keras.optimizers.Optimizer:
    """Makes an optimizer take smaller steps on some variables, in place.

    Such as on a backbone whose pretrained filters are to be kept. The factor is
    of the learning rate of a step, whatever schedule it follows; weight decay
    stays as it is. It is saved as the optimizer it was.

    Args:
        optimizer: any `keras.optimizers.Optimizer`, wrapped or not.
        variables: `keras.Variable`s.
        factor: float, at least 0.

    Returns:
        The same optimizer.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not hasattr(inner, "slower"):
        kind: Any = type(inner)
        inner.__class__ = _with_slower(kind)
    inner.slower = ({id(variable) for variable in variables}, factor)
    return optimizer


@functools.cache
def _with_slower(kind):
    class Slower(kind):
        # `FusedSGD` passes for another already.
        __class__ = vars(kind).get("__class__") or stand_in_for(kind)

        def update_step(
            self, gradient: Any, variable: Any, learning_rate: Any
        ) -> None:
            """Updates one variable by its gradient."""
            slower, factor = self.slower
            if id(place_of(self, variable)) in slower:
                learning_rate = learning_rate * factor
            super().update_step(gradient, variable, learning_rate)

    return _updating_together(Slower)


def _updating_together(kind):
    """Returns an optimizer that knows of slower variables on PyTorch, too.

    There Keras updates all variables in one call, and asks for none alone.
    """
    if keras.backend.backend() != "torch":
        return kind

    class Parted(kind):
        __class__ = vars(kind)["__class__"]

        def _backend_update_step(self, grads, variables, rate):
            slower, factor = self.slower
            for is_slower in (False, True):
                pairs = [
                    (gradient, variable)
                    for gradient, variable in zip(grads, variables, strict=True)
                    if (id(variable) in slower) is is_slower
                ]
                if pairs:
                    own = rate * factor if is_slower else rate
                    super()._backend_update_step(
                        *map(list, zip(*pairs, strict=True)), own
                    )

    return Parted
