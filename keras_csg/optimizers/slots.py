from typing import Any

import keras


def slots_of(optimizer: keras.optimizers.Optimizer, variable: Any) -> list[Any]:
    """Returns what an optimizer keeps of one variable, such as its moments.

    Keras names them after it; Adafactor's sums over an axis have its name
    alone.

    Args:
        optimizer: built `keras.optimizers.Optimizer`.
        variable: `keras.Variable` that it updates.

    Returns:
        list of `keras.Variable`, none for plain gradient descent.
    """
    prefix = variable.path.replace("/", "_") + "_"
    return [
        slot
        for slot in optimizer.variables
        if slot.name == variable.name or slot.name.startswith(prefix)
    ]
