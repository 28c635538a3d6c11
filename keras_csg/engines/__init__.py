"""What Keras has no one name for on all its backends: steps and gradients.

Each backend has a module of the same functions; the one in use is here.
"""

import importlib
from typing import Any

import keras

from keras_csg.choices import BACKENDS

if keras.backend.backend() not in BACKENDS:
    raise ImportError(
        f"Keras must run on {', '.join(BACKENDS[:-1])} or {BACKENDS[-1]}, as "
        "KERAS_BACKEND or ~/.keras/keras.json says. Received: "
        f"{keras.backend.backend()}"
    )

engine: Any = importlib.import_module(
    f"keras_csg.engines.on_{keras.backend.backend()}"
)
"""`train_step`, `test_step`, `update`, `compiled` and what replicas need."""


def require_tensorflow(what: str) -> None:
    """Refuses what only TensorFlow can do.

    Args:
        what: words such as `"Files for servers"`.

    Raises:
        ValueError: if Keras runs on another backend.
    """
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(
            f"{what} are written on TensorFlow, and Keras runs on {backend} "
            "here: set KERAS_BACKEND=tensorflow, where runs and saved models "
            "of every backend open."
        )
