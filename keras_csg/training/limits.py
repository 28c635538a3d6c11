"""What a training asks of the machine, checked before its first step."""

import math

from keras_csg.arguments import height_and_width
from keras_csg.backbones.registry import backbone_spec
from keras_csg.data.memory import available_memory, check_image_size
from keras_csg.engines import engine
from keras_csg.training.options import TrainingOptions


def check_asked_size(options: TrainingOptions) -> None:
    """Refuses an `image_size` that cannot be trained on, before data are read.

    And a backbone that there is not.

    Args:
        options: `TrainingOptions`.

    Raises:
        ValueError: naming the size: the backbone takes no images as small, or
            not of such sides, or those of a batch do not fit. Or the backbone.
    """
    backbone_spec(options.backbone)  # Refuses one that there is not.
    size = height_and_width(options.image_size)
    if size is None:
        return
    check_sides(options.backbone, size)
    check_image_size(size)
    check_size(options.batch_size or 1, (*size, 3))


def check_sides(backbone: str, size: tuple[int, ...]) -> None:
    """Refuses images of sides that a backbone does not take.

    Args:
        backbone: str. Its name.
        size: tuple `(height, width)`.

    Raises:
        ValueError: naming the size.
    """
    spec = backbone_spec(backbone)
    wanted = None
    if min(size) < spec.min_size:
        wanted = f"at least {spec.min_size}"
    elif any(side % spec.size_multiple for side in size):
        wanted = f"multiples of {spec.size_multiple}"
    if wanted:
        raise ValueError(
            f"`image_size` must be {wanted} for {backbone}. "
            f"Received: images of {size[0]}x{size[1]}"
        )


def check_batch(batch_size: int, image_shape: tuple[int, int, int]) -> None:
    """Refuses a batch that does not fit, or divide among the devices.

    Raises:
        ValueError: naming what is wrong.
    """
    check_shares(batch_size)
    check_size(batch_size, image_shape)


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
            "smaller `batch_size` or `image_size`."
        )
