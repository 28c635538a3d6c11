import warnings
from typing import Any

from keras_csg.layers.batch_statistics import is_measuring


def warn_of_own_loop(model: Any, training: bool | None) -> None:
    """Says once that a gate does not train where a model is a mere layer.

    `fit` and `train_on_batch` never call the model itself in training mode:
    another model, or a loop of the user's, does.

    Args:
        model: `CSGClassifier`.
        training: whether it is called in training mode.
    """
    told = getattr(model, "_told_of_own_loop", False)
    if not (training and model.gated) or told or is_measuring():
        return
    model._told_of_own_loop = True
    warnings.warn(
        "A classifier called with `training=True` trains one path alone, and "
        "its gate not within the budget: put "
        "augmentation into the data and call the classifier's own `fit`, or "
        "write the loop with `compute_dual_path_loss` and `move_gate`.",
        stacklevel=2,
    )
