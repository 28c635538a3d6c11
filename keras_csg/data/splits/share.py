"""The part of each batch that one of several processes reads."""

import dataclasses
from typing import TYPE_CHECKING, Any

import lazy_loader

if TYPE_CHECKING:
    import tensorflow as tf
else:  # As in `image_split`.
    tf = lazy_loader.load("tensorflow")


@dataclasses.dataclass(frozen=True)
class Share:
    """Which part of each batch a process reads.

    Attributes:
        index: int. Number of the process, from 0.
        processes: int. How many there are.
        devices: int. How many devices of all compute a batch. One that does
            not divide among them, such as the last of an epoch, is read and
            computed by all.
    """

    index: int
    processes: int
    devices: int

    def part_of(self, examples: Any) -> tuple[Any, "tf.Tensor"]:
        """Returns the own part of a batch, and where that is in it.

        Args:
            examples: tensor of shape `(batch, ...)`, or several in a tuple.

        Returns:
            A tuple of the same, shorter, and of an int32 tensor of the first
            place and the batch's size.
        """
        size = tf.shape(tf.nest.flatten(examples)[0])[0]
        divides = tf.equal(size % self.devices, 0)
        count = tf.where(divides, size // self.processes, size)
        start = tf.where(divides, self.index * count, 0)
        part = tf.nest.map_structure(
            lambda array: array[start : start + count], examples
        )
        return part, tf.stack([start, size])


def is_whole(images: "tf.Tensor", place: "tf.Tensor") -> "tf.Tensor":
    """Returns whether a part is all of its batch, a scalar bool tensor.

    Args:
        images: tensor of shape `(part, ...)`.
        place: of it, as `Share.part_of` returns it.
    """
    return tf.equal(tf.shape(images)[0], place[1])
