"""The losses of images that may have several classes, or none."""

from typing import Any

import keras
from keras import ops

from keras_csg.arguments import share
from keras_csg.models.losses import ComplementLoss, is_soft


@keras.saving.register_keras_serializable(package="keras_csg")
class LogitBinaryCrossentropy(keras.losses.Loss):
    """Binary cross-entropy of logits, summed over the classes.

    Not the mean that Keras's `BinaryCrossentropy` takes: a sum pulls at a
    class's logit as cross-entropy does, however many classes there are, so the
    same learning rates and weights of the losses serve.

    Args:
        label_smoothing: float in `[0, 1]`. By how much labels are moved
            towards 0.5.
        **kwargs: `name`, `reduction`, `dtype`, as for any loss.

    Call arguments:
        y_true: Labels of shape `(batch, classes)` in `[0, 1]`; they need not
            sum to one.
        y_pred: Logits of shape `(batch, classes)`.

    Raises:
        ValueError: if `label_smoothing` is out of its range, or labels are of
            another shape.
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = share("label_smoothing", label_smoothing)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each sample, of shape `(batch,)`, in nats."""
        if not is_soft(y_true, y_pred):
            raise ValueError(
                "Labels of a classifier with `multi_label` must be of shape "
                f"(batch, {y_pred.shape[-1]}), a 0 or a 1 for each class. "
                f"Received: labels.shape={tuple(y_true.shape)}"
            )
        mean = keras.losses.binary_crossentropy(
            y_true,
            y_pred,
            from_logits=True,
            label_smoothing=self.label_smoothing,
        )
        return mean * y_pred.shape[-1]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
        }


@keras.saving.register_keras_serializable(package="keras_csg")
class MultiLabelComplementLoss(keras.losses.Loss):
    """What the other filters still tell of a sample's classes.

    The mean of `-log(1 - p_c)` over the sample's classes, with the probability
    `p_c` by the filters that are none of these classes'; 0 of a sample without
    any class.

    Call arguments:
        y_true: Labels of shape `(batch, classes)` in `[0, 1]`.
        y_pred: Logits of shape `(batch, classes)`.
    """

    def __init__(self, name: str = "complement", **kwargs: Any):
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each sample, of shape `(batch,)`, in nats."""
        labels = ops.cast(y_true, y_pred.dtype)
        told = -ops.log(1 - ops.sigmoid(y_pred) + ComplementLoss.epsilon)
        count = ops.sum(labels, axis=-1)
        return ops.sum(labels * told, axis=-1) / ops.maximum(
            count, keras.config.epsilon()
        )
