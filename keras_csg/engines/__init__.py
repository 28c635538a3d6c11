"""What Keras has no one name for on all its backends: steps and gradients.

Each backend has a module of the same functions; the one in use is here.
"""

from typing import Any

import keras

if keras.backend.backend() == "jax":
    from keras_csg.engines import on_jax as _engine
elif keras.backend.backend() == "torch":
    from keras_csg.engines import on_torch as _engine
else:
    from keras_csg.engines import on_tensorflow as _engine

engine: Any = _engine
"""`train_step`, `test_step`, `update`, `compiled` and what replicas need."""
