import keras
from keras import ops


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
