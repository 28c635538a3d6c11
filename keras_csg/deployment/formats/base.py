"""Checks what a user hands to an exported model, and asks it."""

import abc

import numpy as np


class ExportedAnswers(abc.ABC):
    """An exported model in its runtime.

    Attributes:
        metadata: its `Metadata`.
        runtime: str. Name and version of the runtime.
    """

    def answer(self, images):
        """Returns a dict of arrays, one for each output.

        Args:
            images: array of shape `(batch, height, width, 3)`, of the dtype
                the model takes.

        Raises:
            ValueError: if shape or dtype are others.
        """
        values = self._run(check_images(images, self.metadata))
        return {name: values[name] for name in self.metadata.outputs}

    @abc.abstractmethod
    def _run(self, images):
        """Returns the arrays by their outputs' names."""


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
