from typing import Any

import keras
from keras import ops

from keras_csg.optimizers import take_averages


class AveragedValidation(keras.callbacks.Callback):
    """Validates the averages of the weights, of an optimizer with `use_ema`.

    They are what the training ends with. Keras's own `SwapEMAWeights` takes
    the optimizer's variables to be all that the model trains, which a gate
    that a budget closes is not.

    Args:
        also: `keras.callbacks.Callback` whose `on_epoch_end` measures the
            averages, too; it is called from here alone.
    """

    def __init__(self, also: keras.callbacks.Callback | None = None) -> None:
        super().__init__()
        self.also = also
        self._kept: list[Any] = []

    def set_model(self, model: Any) -> None:
        """Tells both whose training it is."""
        super().set_model(model)
        if self.also is not None:
            self.also.set_model(model)

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Has the other callback measure the averages."""
        if self.also is None:
            return
        self.on_test_begin()
        try:
            self.also.on_epoch_end(epoch, logs)
        finally:
            self.on_test_end()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the averages in the place of the weights."""
        variables = self.model.optimized_variables
        self._kept = [ops.copy(variable) for variable in variables]
        take_averages(self.model.optimizer, variables)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the weights back."""
        variables = self.model.optimized_variables
        for variable, value in zip(variables, self._kept, strict=True):
            variable.assign(value)
        self._kept = []
