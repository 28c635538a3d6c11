import math
from typing import Any

import keras


class NonFiniteLossError(RuntimeError):
    """The loss became infinite or not a number."""


def _loss(logs):
    """Returns what is minimised, of which the loss shown is a part."""
    known = logs or {}
    return known.get("total_loss", known.get("loss", 0.0))


class FiniteLoss(keras.callbacks.Callback):
    """Ends training in the step whose loss is not finite.

    Put it before callbacks that save: it raises at the end of the epoch,
    before they see it. The running mean that Keras reports stays
    not-a-number once one loss was, so no step goes unnoticed.

    Args:
        phase: str. What is trained, if not all; it names the learning rate.

    Raises:
        NonFiniteLossError: with the epoch, the step and the likely cause.
    """

    # Only reads the logs, so Keras need not wait for the device to call it.
    async_safe = True

    def __init__(self, phase: str = ""):
        super().__init__()
        self.phase = phase
        self._steps: list[int] = []

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Notes the step and asks `fit` to stop."""
        if not math.isfinite(_loss(logs)):
            self._steps.append(batch + 1)
            self.model.stop_training = True

    def on_epoch_end(
        self, epoch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Raises if a loss of the epoch was not finite."""
        loss = _loss(logs)
        if math.isfinite(loss):
            self._check_validation(epoch, (logs or {}).get("val_loss", 0.0))
            return
        step = f"step {min(self._steps)}" if self._steps else "an unknown step"
        raise NonFiniteLossError(
            f"The loss is {loss} in {step} of {self._epoch(epoch)}. "
            f"{self._likely_cause()}"
        )

    def _check_validation(self, epoch, loss):
        """Finds what the last step of the epoch did, which no loss shows."""
        if not math.isfinite(loss):
            raise NonFiniteLossError(
                f"The validation loss is {loss} after {self._epoch(epoch)}. "
                f"{self._likely_cause()}"
            )

    def _epoch(self, epoch):
        of = f" of the {self.phase}" if self.phase else ""
        return f"epoch {epoch + 1}{of}"

    def _likely_cause(self):
        if self.model.backbone.dtype_policy.name == "mixed_float16":
            return (
                "Likely cause: float16 overflowed; try mixed_bfloat16 or "
                "float32."
            )
        rate = keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)
        name = f"{self.phase} learning rate".lstrip()
        return (
            f"Likely cause: the {name} ({float(rate):.3g}) is too high for "
            "this network and batch size; try a tenth of it or more warm-up "
            "epochs. If it stays, look for NaN in the images or the sample "
            "weights."
        )
