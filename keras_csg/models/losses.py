"""Cross-entropy and accuracy that take hard and soft labels alike.

Keras chooses between the sparse and the dense form once, at the first batch; a
model trained on mixed images (soft labels) and validated on plain ones (hard
labels) needs both.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_csg.arguments import real_number, share


def is_soft(labels: Any, logits: Any) -> bool:
    """Whether labels are distributions of shape `(batch, classes)`."""
    return len(labels.shape) == 2 and labels.shape[-1] == logits.shape[-1]


def hard_labels(labels: Any, logits: Any) -> Any:
    """Returns the labels as integers of shape `(batch,)`."""
    labels = ops.convert_to_tensor(labels)
    if is_soft(labels, logits):
        return ops.cast(ops.argmax(labels, axis=-1), "int32")
    return ops.cast(ops.reshape(labels, (-1,)), "int32")


@keras.saving.register_keras_serializable(package="keras_csg")
class LogitCrossentropy(keras.losses.Loss):
    """Cross-entropy of logits against hard or soft labels.

    Args:
        label_smoothing: float in `[0, 1]`. Share of a label, hard or soft,
            that is spread evenly over all classes.
        offsets: floats, one a class, that are added to the logits: the
            logarithms of the classes' shares of the images, so that a network
            learns what it would say if all were as frequent (logit
            adjustment: [Menon et al., 2021](https://arxiv.org/abs/2007.07314)).
        **kwargs: `name`, `reduction`, `dtype`, as for any loss.

    Call arguments:
        y_true: Integers of shape `(batch,)` or `(batch, 1)`, or distributions
            of shape `(batch, classes)`.
        y_pred: Logits of shape `(batch, classes)`.

    Raises:
        ValueError: if `label_smoothing` is out of its range.
    """

    def __init__(
        self,
        name: str = "crossentropy",
        label_smoothing: float = 0.0,
        offsets: Sequence[float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.label_smoothing = share("label_smoothing", label_smoothing)
        self.offsets = None
        if offsets is not None:
            self.offsets = [real_number("offsets", x) for x in offsets]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each sample, of shape `(batch,)`, in nats."""
        if self.offsets is not None:
            y_pred = y_pred + ops.cast(self.offsets, y_pred.dtype)
        soft = is_soft(y_true, y_pred)
        if not soft and not self.label_smoothing:
            return keras.losses.sparse_categorical_crossentropy(
                hard_labels(y_true, y_pred), y_pred, from_logits=True
            )
        if not soft:
            labels = hard_labels(y_true, y_pred)
            y_true = ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
        return keras.losses.categorical_crossentropy(
            y_true,
            y_pred,
            from_logits=True,
            label_smoothing=self.label_smoothing,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "offsets": self.offsets,
        }


@keras.saving.register_keras_serializable(package="keras_csg")
class ComplementLoss(keras.losses.Loss):
    """What the other classes' filters still tell of the class.

    `-log(1 - p)` with the probability `p` of the true class: of the logits
    that come of the filters that are not its own.

    Call arguments:
        y_true: labels as `LogitCrossentropy` takes them; of a soft label `p`
            is the mean over its classes.
        y_pred: Logits of shape `(batch, classes)`.
    """

    # Bounds the loss, at 9.2, and its gradient where the class is certain.
    epsilon = 1e-4

    def __init__(self, name: str = "complement", **kwargs: Any):
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of each sample, of shape `(batch,)`, in nats."""
        probabilities = ops.softmax(y_pred)
        if is_soft(y_true, y_pred):
            y_true = ops.cast(y_true, probabilities.dtype)
            told = ops.sum(y_true * probabilities, axis=-1)
        else:
            labels = hard_labels(y_true, y_pred)[:, None]
            told = ops.take_along_axis(probabilities, labels, axis=-1)[:, 0]
        return -ops.log(1 - told + self.epsilon)


@keras.saving.register_keras_serializable(package="keras_csg")
class OffClassActivation(keras.losses.Loss):
    """Share of a sample's activation in filters that are not its class's.

    Call arguments:
        y_true: the gate row of each sample, `(batch, filters)`, in `[0, 1]`.
        y_pred: features of shape `(batch, filters)`.
    """

    def __init__(self, name: str = "off_class", **kwargs: Any):
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the share of each sample, `(batch,)`, in `[0, 1]`."""
        sizes = ops.abs(y_pred)
        outside = ops.sum((1 - y_true) * sizes, axis=-1)
        return outside / (ops.sum(sizes, axis=-1) + keras.config.epsilon())


def matches(y_true: Any, y_pred: Any) -> Any:
    """Returns 1 where the largest logit is the label's, shape `(batch,)`."""
    predicted = ops.cast(ops.argmax(y_pred, axis=-1), "int32")
    return ops.cast(
        ops.equal(predicted, hard_labels(y_true, y_pred)), "float32"
    )


@keras.saving.register_keras_serializable(package="keras_csg")
class ClassAccuracy(keras.metrics.MeanMetricWrapper):
    """Share of samples, in `[0, 1]`, whose largest logit is the label's.

    Takes labels as `LogitCrossentropy` does; of a soft label its largest
    entry counts.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(matches, name=name, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}
