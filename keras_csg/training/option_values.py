"""What values an option may have."""

import math
import numbers
from typing import Any

from keras_csg.arguments import MOST


def check_range(
    name: str,
    value: float,
    least: float,
    largest: float | None,
    least_allowed: bool,
) -> None:
    """Refuses a number out of its range.

    Args:
        name: str. Of the option.
        value: the number.
        least: the least that it may be, or must be above.
        largest: the largest; `None` for no bound.
        least_allowed: bool. Whether it may be `least` itself.

    Raises:
        ValueError: naming the option and its range.
    """
    if isinstance(value, int) and value > MOST:
        raise ValueError(
            f"`{name}` must be at most {largest or MOST:,}. "
            f"Received: {name}={value}"
        )
    if not math.isfinite(value):
        raise ValueError(
            f"`{name}` must be a finite number. Received: {name}={value}"
        )
    above = value >= least if least_allowed else value > least
    if above and (largest is None or value <= largest):
        return
    bound = f"at least {least}" if least_allowed else f"above {least}"
    if largest is not None:
        bound += f" and at most {largest}"
    raise ValueError(f"`{name}` must be {bound}. Received: {name}={value}")


def plain(value: Any) -> Any:
    """Returns NumPy's numbers as Python's, which JSON knows."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of an option's type; a whole number is a float."""
    if isinstance(value, bool):
        return kind is bool
    if isinstance(value, int) and kind in (float, float | None):
        return True
    return isinstance(value, kind)


def readable(kind: Any) -> str:
    """Returns what an option's type is called."""
    names = getattr(kind, "__args__", (kind,))
    return " or ".join(
        "null" if name is type(None) else name.__name__ for name in names
    )
