from typing import Any

import keras

from keras_csg import private_api


def exclude_from_weight_decay(
    optimizer: keras.optimizers.Optimizer, gate_matrix: Any
) -> None:
    """Adds the gate to what an optimizer's weight decay leaves alone.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        gate_matrix: the gate's variable.

    Raises:
        ValueError: if the optimizer has weight decay and is built already,
            when Keras takes no more exclusions, and the gate is not among
            them.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if optimizer.weight_decay is None:
        return
    if not optimizer.built:
        private_api.exclude_from_weight_decay(optimizer, [gate_matrix])
    elif private_api.decays(optimizer, gate_matrix):
        raise ValueError(
            "The optimizer was built for another model, and its weight "
            "decay would move the gate: give `compile` a new one. "
            f"Received: optimizer={optimizer.name!r}"
        )
