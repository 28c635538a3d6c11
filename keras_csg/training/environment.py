import contextlib
import platform
import random
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np

from keras_csg import private_api
from keras_csg.engines import engine
from keras_csg.version import package_version, version

PACKAGES = ("keras", "tensorflow", "tensorflow-datasets", "numpy")
NO_GPU = {
    "tensorflow": "A GPU was asked for and TensorFlow sees none: install the "
    "drivers and `pip install 'keras-csg[gpu]'`, or leave out `device`.",
    "jax": "A GPU was asked for and JAX sees none: install the drivers and "
    "`pip install 'jax[cuda13]'`, or leave out `device`.",
    "torch": "A GPU was asked for and PyTorch sees none: install the drivers "
    "and a PyTorch for CUDA, or leave out `device`.",
}


class TrainingEnvironment:
    """What a training changes in its process, for as long as it runs.

    Entering it sets the dtype policy, the seeds and whether operations are
    deterministic; leaving it puts back what was there, so that a notebook in
    which a run was set up goes on as it was. Entered again it goes on with the
    random numbers where it left off.

    Args:
        precision: str. Name of a Keras dtype policy.
        seed: int.
        deterministic: bool. Whether operations have to give the same bits
            every time.
        devices: int or `"auto"`. How many share each batch.
    """

    def __init__(
        self,
        precision: str,
        seed: int,
        deterministic: bool,
        devices: int | str = 1,
    ):
        self.precision = precision
        self.seed = seed
        self.deterministic = deterministic
        self.devices = devices
        self._inside: Any = None
        self._outside: Any = None

    def __enter__(self) -> "TrainingEnvironment":
        with contextlib.ExitStack() as outside:  # Undone if one refuses.
            if self.devices != 1 or engine.count_processes() > 1:
                outside.enter_context(
                    engine.sharing(self.devices, making=self._inside is None)
                )
            if self.deterministic and not engine.is_deterministic():
                engine.set_deterministic(True)
                outside.callback(engine.set_deterministic, False)
            outside.callback(_set_random_states, _random_states())
            keras.utils.set_random_seed(self.seed)
            policy = keras.config.dtype_policy()
            outside.callback(keras.config.set_dtype_policy, policy)
            keras.config.set_dtype_policy(self.precision)
            if self._inside is not None:
                _set_random_states(self._inside)
            self._outside = outside.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._inside = _random_states()
        self._outside.close()


def choose_device(device: str) -> None:
    """Computes on the processor where it is asked for.

    For the whole process and for good. Where TensorFlow only reads the data it
    gets no GPU: it would take all of its memory.

    Args:
        device: str. `"auto"`, `"cpu"` or `"gpu"`.

    Raises:
        ValueError: if a GPU is asked for and there is none, or TensorFlow has
            one in use already and must not.
    """
    if keras.backend.backend() != "tensorflow" and find_spec("tensorflow"):
        from keras_csg.engines import on_tensorflow

        on_tensorflow.leave_gpus()
    if device == "gpu" and not engine.has_gpu():
        raise ValueError(NO_GPU[keras.backend.backend()])
    if device != "cpu":
        return
    try:
        engine.leave_gpus()
    except RuntimeError as error:
        raise ValueError(
            "`device='cpu'` must be asked for before TensorFlow uses a GPU. "
            f"Received: device={device!r}"
        ) from error


def versions() -> dict[str, str]:
    """Returns what a run depends on: package and Python versions."""
    return {
        "python": platform.python_version(),
        "keras-csg": version(),
        **{name: package_version(name) for name in PACKAGES},
    }


def count_threads() -> int:
    """Returns by how many threads an operation is computed.

    The order of sums hangs on it, and so do the last bits of what is trained,
    with deterministic operations too.
    """
    return engine.count_threads()


def _random_states():
    return (
        random.getstate(),
        np.random.get_state(),
        private_api.random_streams(),
    )


def _set_random_states(states):
    python, numpy, libraries = states
    random.setstate(python)
    np.random.set_state(numpy)
    private_api.set_random_streams(libraries)
