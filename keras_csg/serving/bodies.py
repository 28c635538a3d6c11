"""How large a request may be."""

import math

from keras_csg.deployment.metadata import Metadata

LEAST_BODY = 2**24
"""Bytes that a request may have at any rate: a photograph as a file."""
HEADER_ROOM = 1024
"""Bytes of a request besides its images, at least."""
ANY_SIDE = 1024
"""Side of images that the limit has room for, of a model that takes any."""


def body_of_batch(metadata: Metadata, max_batch_size: int) -> int:
    """Returns how many bytes a request for the largest batch may have.

    Args:
        metadata: the model's `Metadata`.
        max_batch_size: int. Images of the batch.
    """
    sides = (side or ANY_SIDE for side in metadata.input["shape"][1:3])
    image = math.prod(sides) * 3 * 4  # As float32.
    return max(LEAST_BODY, max_batch_size * image + 2**16)


def check_body(max_body: int | None, metadata: Metadata) -> None:
    """Refuses a limit that has no room for one image as a tensor.

    Args:
        max_body: int; `None` for the usual limit.
        metadata: the model's `Metadata`.

    Raises:
        ValueError: if it is below what one image needs.
    """
    sides = [side or 1 for side in metadata.input["shape"][1:3]]
    itemsize = {"float32": 4}.get(metadata.input["dtype"], 1)
    least = math.prod(sides) * 3 * itemsize + HEADER_ROOM
    if max_body is not None and max_body < least:
        raise ValueError(
            f"`max_body` must be at least {least}, which one image needs. "
            f"Received: max_body={max_body}"
        )
