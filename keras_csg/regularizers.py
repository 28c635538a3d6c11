import keras
from keras import ops


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

    def __init__(self, lambda_2=0.01, density=None):
        if not lambda_2 >= 0:
            raise ValueError(
                f"`lambda_2` must be at least 0. Received: lambda_2={lambda_2}"
            )
        if density is not None and not 0 < density <= 1:
            raise ValueError(
                "`density` must be in (0, 1], or None for one class per "
                f"filter. Received: density={density}"
            )
        self.lambda_2 = lambda_2
        self.density = density

    def __call__(self, x):
        """Returns the penalty on `x`, of shape `(classes, filters)`."""
        classes, filters = x.shape
        density = 1 / classes if self.density is None else self.density
        excess = ops.sum(ops.abs(x)) - density * classes * filters
        return self.lambda_2 * ops.relu(excess)

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"lambda_2": self.lambda_2, "density": self.density}
