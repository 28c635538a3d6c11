"""What a training asks of the machine, checked before its first step."""

import math

from keras_csg.data.memory import available_memory
from keras_csg.engines import engine
from keras_csg.training.options import TrainingOptions


def check_shares(options: TrainingOptions) -> None:
    """Refuses a batch that does not divide among the devices.

    Raises:
        ValueError: naming the batch size.
    """
    shares = engine.count_shares()
    if options.batch_size % shares:
        raise ValueError(
            f"`batch_size` must divide by the number of devices, {shares}. "
            f"Received: batch_size={options.batch_size}"
        )


def check_size(
    options: TrainingOptions, image_shape: tuple[int, int, int]
) -> None:
    """Refuses images of which not even the pixels of a batch fit.

    Raises:
        ValueError: naming the size.
    """
    size = 4 * options.batch_size * math.prod(image_shape)
    if size > available_memory():
        raise ValueError(
            f"A batch of {options.batch_size} images of "
            f"{image_shape[0]}x{image_shape[1]} takes {size / 2**30:,.0f} GiB "
            "before anything is computed of it, more than is free: ask for a "
            "smaller `image_size`."
        )
