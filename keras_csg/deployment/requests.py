"""Checks what a user hands to an exported model."""

import numpy as np


def check_images(images, metadata):
    """Returns the images as an array that the exported model takes.

    Args:
        images: array of shape `(batch, height, width, 3)`.
        metadata: the model's `Metadata`.

    Raises:
        ValueError: if shape or dtype are others.
    """
    images = np.asarray(images)
    shape, dtype = metadata.input["shape"], metadata.input["dtype"]
    fits = len(images.shape) == len(shape) and all(
        want in (None, have)
        for want, have in zip(shape[1:], images.shape[1:], strict=True)
    )
    if not fits or not len(images):
        wanted = ", ".join("any" if s is None else str(s) for s in shape[1:])
        raise ValueError(
            f"`images` must have shape (batch, {wanted}). "
            f"Received: images.shape={images.shape}"
        )
    if images.dtype != dtype:
        raise ValueError(
            f"`images` must be {dtype}, RGB in 0..255: "
            f"`images.astype({dtype!r})`. "
            f"Received: images.dtype={images.dtype}"
        )
    return images
