"""Training on several devices, of one machine or of several, with JAX."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np

from keras_csg import private_api
from keras_csg.engines.alike import some_of
from keras_csg.engines.jax_processes import count_processes


@contextlib.contextmanager
def sharing(devices: int | str, making: bool) -> Iterator[None]:
    """Makes and trains models on several devices, as if they were one.

    A batch that does not divide is computed by each of them. Where several
    processes train together, they do on all of their devices. Each is handed
    its own part of a batch, with a flag behind it that says `False`, or all of
    it, with one that says `True`; what comes without a flag is all of it.

    Args:
        devices: int or `"auto"`: how many GPUs or TPUs, or processors without
            any.
        making: not used: it is needed as long as the model trains.

    Raises:
        ValueError: if there are fewer, or several processes are told a number.
    """
    kind = local_devices()[0].platform
    known = keras.distribution.list_devices("cpu" if kind == "cpu" else None)
    together = count_processes() > 1
    if together and devices not in (1, "auto"):
        raise ValueError(
            "Several processes train on all of their devices: choose those "
            "with JAX's own variables, such as CUDA_VISIBLE_DEVICES. "
            f"Received: devices={devices}"
        )
    chosen = known if together else some_of(known, devices)
    place = _placed_among_processes if together else None
    with private_api.placing_batches(place):
        distribution = _DataParallel(devices=chosen, auto_shard_dataset=False)
        with distribution.scope():
            yield


class _DataParallel(keras.distribution.DataParallel):
    """Has each device compute a batch that does not divide among them."""

    def get_data_layout(self, data_shape: tuple) -> Any:
        """Returns the layout of an array of a batch."""
        if data_shape and data_shape[0] % self.num_model_replicas == 0:
            return super().get_data_layout(data_shape)
        return self.replicated(data_shape)

    def replicated(self, data_shape: tuple) -> Any:
        """Returns the layout of an array that all devices have."""
        axes = [None] * len(data_shape)
        return keras.distribution.TensorLayout(axes, self.device_mesh)


def _placed_among_processes(data: Any) -> tuple:
    """Returns a batch as arrays of all processes; see `sharing`."""
    distribution = keras.distribution.distribution()
    whole = True
    if np.ndim(data[-1]) == 0 and np.asarray(data[-1]).dtype == np.bool_:
        *data, whole = data

    def placed(array):
        if array is None:  # No weights of samples.
            return None
        array = np.asarray(array)
        layout = distribution.replicated(array.shape)
        if not whole:
            axes = [distribution.batch_dim_name, *layout.axes[1:]]
            layout = keras.distribution.TensorLayout(axes, layout.device_mesh)
        return jax.make_array_from_process_local_data(
            layout.backend_layout, array
        )

    return keras.tree.map_structure(placed, tuple(data))


def count_shares() -> int:
    """Returns how many devices share a batch."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.device_mesh.devices.size


def local_devices() -> list:
    """Returns this process's devices that compute where nothing is said."""
    config: Any = jax.config
    chosen = config.jax_default_device
    return [chosen] if chosen is not None else jax.local_devices()
