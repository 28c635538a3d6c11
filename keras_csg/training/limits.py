"""What a training asks of the machine, checked before its first step."""

import math

from keras_csg.data.memory import available_memory
from keras_csg.engines import engine


def check_shares(batch_size: int) -> None:
    """Refuses a batch that does not divide among the devices.

    Raises:
        ValueError: naming the batch size.
    """
    shares = engine.count_shares()
    if batch_size % shares:
        raise ValueError(
            f"`batch_size` must divide by the number of devices, {shares}. "
            f"Received: batch_size={batch_size}"
        )


def check_size(batch_size: int, image_shape: tuple[int, int, int]) -> None:
    """Refuses images of which not even the pixels of a batch fit.

    Raises:
        ValueError: naming the size.
    """
    size = 4 * batch_size * math.prod(image_shape)
    if size > available_memory():
        raise ValueError(
            f"A batch of {batch_size} images of "
            f"{image_shape[0]}x{image_shape[1]} takes {size / 2**30:,.0f} GiB "
            "before anything is computed of it, more than is free: ask for a "
            "smaller `image_size`."
        )
