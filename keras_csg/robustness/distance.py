"""How far an attack may go: numbers, and what keeps images that near.

Distances are shares of the range of a pixel, 0..1, as the literature has them:
8/255 is 8 of the 255 steps between black and white.
"""

import fractions
import math
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_csg.arguments import real_number
from keras_csg.choices import NORMS

WHITE = 255.0
"""Largest value of a pixel, of what is given to a network."""
USUAL = {"linf": 8 / 255, "l2": 128 / 255}
"""The strengths that CIFAR-10's attacks are compared at, by norm."""


def read_epsilon(
    epsilon: Any, norm: str = "linf", name: str = "epsilon"
) -> float:
    """Returns the strength of an attack as a number.

    Args:
        epsilon: float, or str such as `"8/255"` or `"0.03"`: a share of the
            range of pixels, above 0; by `"linf"` at most 1.
        norm: `"linf"` or `"l2"`.
        name: str. What the argument is called.

    Raises:
        ValueError: if it is nothing of the kind.
    """
    if norm not in NORMS:
        raise ValueError(
            f"`norm` must be one of {', '.join(NORMS)}. Received: norm={norm!r}"
        )
    wanted = "a share of the range of pixels above 0, such as 8/255 or 0.03"
    number = _as_number(epsilon, wanted, name)
    if number <= 0:
        raise ValueError(
            f"`{name}` must be {wanted}. Received: {name}={epsilon}"
        )
    if norm == "linf" and number > 1:
        raise ValueError(
            f"`{name}` must be {wanted}, at most 1; for {number:g} of the 255 "
            f"steps of a pixel write {number:g}/255. "
            f"Received: {name}={epsilon}"
        )
    return number


def _as_number(epsilon, wanted, name):
    if not isinstance(epsilon, str):
        return real_number(name, epsilon, wanted)
    try:
        number = float(fractions.Fraction(epsilon.replace(" ", "")))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(
            f"`{name}` must be {wanted}. Received: {name}={epsilon}"
        ) from None
    return number


def write_epsilon(epsilon: float) -> str:
    """Returns a strength as people write it: `"8/255"`, or `"0.03"`."""
    steps = epsilon * WHITE
    if abs(steps - round(steps)) < 1e-6:
        return f"{round(steps)}/255"
    return f"{epsilon:g}"


def check_reach(
    epsilon: float, norm: str, image_shape: tuple, name: str = "epsilon"
) -> None:
    """Refuses an l2 distance that no two images have; see `read_epsilon`.

    Args:
        epsilon: float.
        norm: `"linf"` or `"l2"`.
        image_shape: of an image.
        name: str. What the argument is called.

    Raises:
        ValueError: if the norm is `"l2"` and black and white are nearer.
    """
    farthest = math.sqrt(math.prod(image_shape))
    if norm == "l2" and epsilon > farthest:
        size = "x".join(map(str, image_shape))
        raise ValueError(
            f"`{name}` must be at most {farthest:.1f}, the l2 distance of "
            f"black and white at {size}, pixels in 0..1; 128/255 is usual. "
            f"Received: {name}={epsilon:g}"
        )


class Distances(NamedTuple):
    """How far images are from others, as shares of the range of a pixel.

    Attributes:
        linf: array of shape `(samples,)`: the largest difference of a value.
        l2: array of shape `(samples,)`: the root of the sum of squares.
    """

    linf: np.ndarray
    l2: np.ndarray

    def of(self, norm: str) -> np.ndarray:
        """Returns those by a norm."""
        return getattr(self, norm)


def distances(images: np.ndarray, others: np.ndarray) -> Distances:
    """Returns the `Distances` of arrays `(samples, height, width, 3)`."""
    moved = (np.asarray(images, "float64") - others) / WHITE
    moved = moved.reshape(len(moved), -1)
    return Distances(np.abs(moved).max(axis=1), np.linalg.norm(moved, axis=1))


def steepest(gradients: Any, norm: str) -> Any:
    """Returns the direction of length 1 that goes up most, zero for none.

    Args:
        gradients: Tensor of shape `(batch, height, width, 3)`.
        norm: `"linf"` or `"l2"`.
    """
    if norm == "linf":
        return ops.sign(gradients)
    # Squares of small numbers are 0: the largest value is made 1 first.
    largest = ops.max(ops.abs(gradients), axis=(1, 2, 3), keepdims=True)
    gradients = gradients / ops.where(largest > 0, largest, 1.0)
    return gradients / _lengths(gradients)


def within(moved: Any, epsilon: Any, norm: str) -> Any:
    """Returns what is nearest to `moved` of those at most `epsilon` long.

    Args:
        moved: Tensor of shape `(batch, height, width, 3)`.
        epsilon: float or Tensor.
        norm: `"linf"` or `"l2"`.
    """
    if norm == "linf":
        return ops.clip(moved, -epsilon, epsilon)
    return moved * ops.minimum(1.0, epsilon / _lengths(moved))


def random_within(
    shape: tuple, epsilon: float, norm: str, seed: int, numbers: np.ndarray
) -> np.ndarray:
    """Returns a point of the ball for each image, all of it alike.

    Args:
        shape: of an image.
        epsilon: float. Radius.
        norm: `"linf"` or `"l2"`.
        seed: int.
        numbers: ints of shape `(samples,)`: those of the images, so that one
            gets the same whatever others it is attacked with.

    Returns:
        float32 array of shape `(samples, *shape)`.
    """
    points = np.empty((len(numbers), *shape), "float32")
    for point, number in zip(points, numbers, strict=True):
        rng = np.random.default_rng([seed, number])
        if norm == "linf":
            point[:] = rng.uniform(-epsilon, epsilon, shape)
            continue
        direction = rng.standard_normal(shape)
        radius = epsilon * rng.uniform() ** (1 / direction.size)
        point[:] = radius * direction / np.linalg.norm(direction)
    return points


def rounded(
    attacked: np.ndarray, images: np.ndarray, epsilon: float | None, norm: str
) -> np.ndarray:
    """Returns attacked images as files hold them: whole values.

    By `"linf"` they are no farther than `epsilon`, so that one below 1/255
    changes nothing.

    Args:
        attacked: array of shape `(samples, height, width, 3)` in 0..255.
        images: uint8 array of the same shape, as they were.
        epsilon: float; `None` for no limit.
        norm: `"linf"` or `"l2"`.

    Returns:
        uint8 array.
    """
    moved = np.rint(np.asarray(attacked, "float32") - images)
    if norm == "linf" and epsilon is not None:
        most = math.floor(epsilon * WHITE + 1e-6)
        moved = np.clip(moved, -most, most)
    return np.clip(images + moved, 0, WHITE).astype("uint8")


def _lengths(moved):
    squares = ops.sum(ops.square(moved), axis=(1, 2, 3), keepdims=True)
    lengths = ops.sqrt(squares)
    return ops.where(lengths > 0, lengths, 1.0)
