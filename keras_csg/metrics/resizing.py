import functools
from contextlib import AbstractContextManager

import numpy as np
from threadpoolctl import ThreadpoolController


def resize_maps(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes maps bilinearly, pixel centres to pixel centres.

    As `keras.ops.image.resize` does, but of any number of leading axes, as two
    small matrix products.

    Args:
        maps: float array of shape `(..., h, w)`.
        size: tuple `(height, width)`.

    Returns:
        float32 array of shape `(..., height, width)`, within the maps' range.
    """
    maps = np.asarray(maps, "float32")
    if maps.shape[-2:] == tuple(size):
        return maps
    rows = bilinear_weights(maps.shape[-2], size[0])
    columns = bilinear_weights(maps.shape[-1], size[1])
    with one_blas_thread():
        return np.matmul(rows, np.matmul(maps, columns.T))


def bilinear_weights(inputs: int, outputs: int) -> np.ndarray:
    """Returns the matrix that resizes one axis bilinearly.

    Args:
        inputs: int. Length of the axis.
        outputs: int. Length that it shall have.

    Returns:
        float32 array of shape `(outputs, inputs)`, rows that sum to one.
    """
    positions = (np.arange(outputs) + 0.5) * inputs / outputs - 0.5
    positions = np.clip(positions, 0, inputs - 1)
    distances = np.abs(positions[:, None] - np.arange(inputs))
    return np.maximum(1 - distances, 0).astype("float32")


def one_blas_thread() -> AbstractContextManager:
    """Returns a context in which matrix products take one thread each.

    A product of maps is too small to be shared out: where other work keeps
    the processors busy, its threads wait for each other many times as long.
    """
    return _blas().limit(limits=1, user_api="blas")


@functools.cache
def _blas():
    return ThreadpoolController()
