from typing import Any

import keras
from keras import ops

from keras_csg.arguments import (
    FixedArgument,
    density_or_none,
    weight_of_loss,
    whole_number,
)


@keras.saving.register_keras_serializable(package="keras_csg")
class UnitMaxGate(keras.constraints.Constraint):
    """Keeps gates in `[0, 1]`, each filter fully open to its best class.

    Each column (one filter) of the gate matrix, of shape
    `(classes, filters)`, is divided by its largest entry and clipped. A column
    without a positive entry is opened to its largest one, so
    `max(gate_matrix[:, k]) == 1` holds for every filter whatever came in.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 3.2
    """

    def __call__(self, w):
        """Returns `w`, of shape `(classes, filters)`, projected."""
        best = ops.max(w, axis=0, keepdims=True)  # (1, filters)
        scale = ops.where(best > 0, best, ops.ones_like(best))
        # Not w / scale for the best entry itself: it has to be 1 exactly,
        # also where a compiler turns the division into a multiplication. The
        # others come out below 1 by themselves.
        return ops.where(w >= best, 1.0, ops.relu(w) / scale)


@keras.saving.register_keras_serializable(package="keras_csg")
class GateSparsity(keras.regularizers.Regularizer):
    """L1 penalty on what a gate matrix exceeds its budget by.

    `lambda_2 * relu(sum(|G|) - density * classes * filters)` for `G` of shape
    `(classes, filters)`: no pull at all once the gate is as sparse as asked.

    Args:
        lambda_2: float, at least 0. Weight of the penalty.
        density: float in `(0, 1]`, the share of the gate matrix that may be
            open. Defaults to `1 / classes`, the least that lets every filter
            keep one class. A smaller budget cannot be met and pulls for ever.

    Raises:
        ValueError: if an argument is out of its range.

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), equation 4
    """

    lambda_2: Any = FixedArgument()
    density: Any = FixedArgument()

    def __init__(self, lambda_2: float = 0.01, density: float | None = None):
        self.lambda_2 = weight_of_loss("lambda_2", lambda_2)
        self.density = density_or_none(density)

    def __call__(self, x):
        """Returns the penalty on `x`, of shape `(classes, filters)`."""
        classes, filters = x.shape
        density = 1 / classes if self.density is None else self.density
        excess = ops.sum(ops.abs(x)) - density * classes * filters
        return self.lambda_2 * ops.relu(excess)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"lambda_2": self.lambda_2, "density": self.density}


@keras.saving.register_keras_serializable(package="keras_csg")
class CSGGate(keras.layers.Layer):
    """Scales each filter by how far it is open to the sample's class.

    The layer holds `gate_matrix`, of shape `(classes, filters)`, in `[0, 1]`.
    Given labels, a sample's features are multiplied by the row of its class:
    the gated path. Without labels they come back unchanged: the standard path.
    The matrix keeps the layer's variable dtype (float32 under mixed
    precision), is kept fully open to each filter's best class by
    `UnitMaxGate`, and is pulled towards `density` by `GateSparsity`.

    Args:
        num_classes: int, at least 2. Number of classes, the rows of
            `gate_matrix`.
        density: float in `(0, 1]`. Share of the matrix that may be open
            before `lambda_2` pulls; `None` for `1 / num_classes`.
        lambda_2: float, at least 0. Weight of that pull. `None` for
            `0.1 / num_classes`: a class's row sees a gradient only from its
            own samples, so the fewer they are the less it takes.
        gate_initializer: initializer of the matrix. Defaults to `"ones"`:
            every filter open to every class.

    Call arguments:
        features: Tensor of shape `(batch, filters)`, or
            `(batch, height, width, filters)`.
        labels: Optional. Integers of shape `(batch,)` or `(batch, 1)`, or
            labels of shape `(batch, classes)` in `[0, 1]`, which select
            `min(1, labels @ gate_matrix)`: of soft labels, whose rows sum to
            one, the mixture of their classes' rows; of an image's several
            classes the union, a filter open to one of them at least.

    Returns:
        Tensor of the features' shape.

    Raises:
        ValueError: if an argument is out of its range, or the labels' shape
            is none of the above.

    Example:
    >>> gate = CSGGate(num_classes=10)
    >>> features = keras.random.uniform((8, 64))
    >>> tuple(gate(features, keras.ops.arange(8)).shape)
    (8, 64)

    Reference:
        - [Liang et al., 2020](https://arxiv.org/abs/2007.08194), section 3
    """

    num_classes: Any = FixedArgument()
    density: Any = FixedArgument()
    lambda_2: Any = FixedArgument()

    def __init__(
        self,
        num_classes: int,
        density: float | None = None,
        lambda_2: float | None = None,
        gate_initializer: Any = "ones",
        **kwargs: Any,
    ):
        # Keras would cast soft labels, as inputs, to what features come in.
        super().__init__(autocast=False, **kwargs)
        self.num_classes = whole_number("num_classes", num_classes, 2)
        if lambda_2 is None:
            lambda_2 = 0.1 / self.num_classes
        self._sparsity = GateSparsity(lambda_2, density)
        self.lambda_2 = self._sparsity.lambda_2
        self.density = self._sparsity.density
        self.gate_initializer = keras.initializers.get(gate_initializer)

    def build(self, features_shape: tuple[int | None, ...]) -> None:
        """Creates the gate matrix for features of the given shape."""
        self.gate_matrix = self.add_weight(
            name="gate_matrix",
            shape=(self.num_classes, features_shape[-1]),
            initializer=self.gate_initializer,
            constraint=UnitMaxGate(),
            regularizer=self._sparsity if self.lambda_2 else None,
            autocast=False,
        )

    def call(self, features: Any, labels: Any = None) -> Any:
        """Returns the features, gated where there are labels."""
        features = ops.cast(features, self.compute_dtype)
        if labels is None:
            return features
        gates = ops.cast(self.rows(labels), features.dtype)  # (batch, filters)
        between = (1,) * (len(features.shape) - 2)
        return features * ops.reshape(
            gates, (-1, *between, self.gate_matrix.shape[-1])
        )

    def rows(self, labels: Any) -> Any:
        """Returns the gate row of each label, of shape `(batch, filters)`."""
        labels = ops.convert_to_tensor(labels)
        if len(labels.shape) == 2 and labels.shape[-1] == self.num_classes:
            labels = ops.cast(labels, self.gate_matrix.dtype)
            rows = ops.matmul(labels, self.gate_matrix)
            # The gradient passes: of a gate that is open to all, as it is in
            # the beginning, every union is 1, and nothing would ever close.
            return rows - ops.stop_gradient(ops.relu(rows - 1))
        if len(labels.shape) == 2 and labels.shape[-1] == 1:
            labels = ops.squeeze(labels, axis=-1)
        if len(labels.shape) != 1:
            raise ValueError(
                "`labels` must be of shape (batch,), (batch, 1) or "
                f"(batch, {self.num_classes}). "
                f"Received: labels.shape={tuple(labels.shape)}"
            )
        return ops.take(self.gate_matrix, ops.cast(labels, "int32"), axis=0)

    def l1_density(self) -> Any:
        """Returns `sum(|G|) / (classes * filters)`, a scalar in `[0, 1]`."""
        return ops.mean(ops.abs(self.gate_matrix))

    def compute_output_shape(
        self,
        features_shape: tuple[int | None, ...],
        labels_shape: tuple[int | None, ...] | None = None,
    ) -> tuple[int | None, ...]:
        """Returns the features' shape."""
        return features_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "density": self.density,
            "lambda_2": self.lambda_2,
            "gate_initializer": keras.initializers.serialize(
                self.gate_initializer
            ),
        }
