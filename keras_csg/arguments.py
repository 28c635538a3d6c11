"""What is asked of numbers that somebody gives, and how they are kept.

Numbers come back as Python's own: configurations are saved as JSON, which
knows no NumPy.
"""

import math
import re
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

MOST = 2**63 - 1
"""What a whole number may be at most: more is no number of anything."""


def whole_number(name: str, value: Any, least: int, most: int = MOST) -> int:
    """Returns a whole number as an int.

    Args:
        name: str. The argument's.
        value: an int, or an integer of NumPy's.
        least: int. What it must be at least.
        most: int. What it may be at most.

    Raises:
        ValueError: if it is nothing of the kind; a bool is not.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"`{name}` must be a whole number of at least {least}. "
            f"Received: {name}={value!r}"
        )
    if value > most:
        raise ValueError(
            f"`{name}` must be at most {most:,}. Received: {name}={value!r}"
        )
    return int(value)


def real_number(name: str, value: Any, meaning: str = "a number") -> float:
    """Returns a finite number as a float.

    Args:
        name: str. The argument's.
        value: an int, a float, or one of NumPy's.
        meaning: str. What it must be, for the message.

    Raises:
        ValueError: if it is nothing of the kind; a bool is not.
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not _is_finite(value):
        raise ValueError(
            f"`{name}` must be {meaning}. Received: {name}={value!r}"
        )
    return float(value)


def _is_finite(value):
    try:
        return math.isfinite(value)
    except OverflowError:  # An int beyond all floats.
        return False


def weight_of_loss(name: str, value: Any) -> float:
    """Returns a finite number of at least 0 as a float; see `real_number`."""
    meaning = "a number of at least 0"
    number = real_number(name, value, meaning)
    if number < 0:
        raise ValueError(
            f"`{name}` must be {meaning}. Received: {name}={value!r}"
        )
    return number


def share(name: str, value: Any, meaning: str = "from 0 to 1") -> float:
    """Returns a number in `[0, 1]` as a float; see `real_number`."""
    number = real_number(name, value, meaning)
    if not 0 <= number <= 1:
        raise ValueError(
            f"`{name}` must be {meaning}. Received: {name}={value!r}"
        )
    return number


def density_or_none(density: Any) -> float | None:
    """Returns the share of a gate that may be open as a float, or `None`.

    Raises:
        ValueError: if it is not above 0 and at most 1.
    """
    if density is None:
        return None
    number = share("density", density, "in (0, 1], or None")
    if not number:
        raise ValueError(
            f"`density` must be in (0, 1], or None. Received: density={density}"
        )
    return number


class FixedArgument:
    """Attribute that the constructor sets, once.

    Training steps are traced with it, so that another value would not count
    until the model is saved and loaded.
    """

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        try:
            return instance.__dict__[self._name]
        except KeyError:
            raise AttributeError(self._name) from None

    def __set__(self, instance, value):
        if self._name in instance.__dict__:
            raise AttributeError(
                f"`{self._name}` is part of the traced training step: make a "
                f"new {type(instance).__name__} from a changed `get_config()`. "
                f"Received: {self._name}={value!r}"
            )
        instance.__dict__[self._name] = value


def height_and_width(image_size: Any) -> tuple[int, int] | None:
    """Returns the size of images, however it was given.

    Args:
        image_size: int, a pair `(height, width)`, or a str such as `"224"` or
            `"224x320"`; `None` stays.

    Raises:
        ValueError: if it is none of these.
    """
    if image_size is None:
        return None
    size = image_size
    if isinstance(size, str):
        written = re.fullmatch(r"(\d+)(?:x(\d+))?", size)
        sides = written.groups() if written else ()
        size = [int(side) for side in sides if side is not None]
        size = size * 2 if len(size) == 1 else size
    elif isinstance(size, Integral) and not isinstance(size, bool):
        size = (size, size)
    valid = isinstance(size, Sequence) and len(size) == 2
    if not valid or not all(_is_side(side) for side in size):
        raise ValueError(
            "`image_size` must be a positive integer or a pair of them, "
            "(height, width) or 'HEIGHTxWIDTH'. "
            f"Received: image_size={image_size!r}"
        )
    return int(size[0]), int(size[1])


def _is_side(value):
    number = isinstance(value, Integral) and not isinstance(value, bool)
    return number and int(value) > 0
