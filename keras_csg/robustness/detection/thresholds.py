"""Where known ends: from clean images, at a rate of false alarms."""

import warnings
from typing import Any

import numpy as np

from keras_csg.arguments import real_number


def checked_rate(rate: Any) -> float:
    """Returns a rate of false alarms as a float.

    Raises:
        ValueError: if it is not above 0 and at most 0.5.
    """
    number = real_number("false_alarm_rate", rate)
    if not 0 < number <= 0.5:
        raise ValueError(
            "`false_alarm_rate` must be above 0 and at most 0.5. "
            f"Received: false_alarm_rate={rate!r}"
        )
    return number


def check_enough(count: int, rate: float) -> None:
    """Refuses a rate that so few images cannot show, and warns of few.

    Args:
        count: int. Clean images that nothing was learned from.
        rate: float. False alarms.

    Raises:
        ValueError: if there are fewer than `1 / rate`.
    """
    if count < 1 / rate:
        raise ValueError(
            f"`false_alarm_rate` {rate:g} takes {int(np.ceil(1 / rate)):,} "
            "clean images or more to find a threshold from, and ten times as "
            f"many to be sure of it. Received: {count:,}"
        )
    if count < 10 / rate:
        warnings.warn(
            f"The threshold rests on {count:,} clean images: the rate of false "
            f"alarms may be far from {rate:g}. "
            f"{int(np.ceil(10 / rate)):,} make it sure.",
            stacklevel=3,
        )


def threshold_of(scores: np.ndarray, rate: float) -> float:
    """Returns the score that at most a share of clean images exceed.

    That of one in order, such that a clean image that comes next is flagged
    with a probability of at most `rate`.

    Reference:
        - Vovk et al., "Algorithmic Learning in a Random World", 2005
    """
    place = int(np.ceil((len(scores) + 1) * (1 - rate) - 1e-9))
    return float(np.sort(scores)[min(place, len(scores)) - 1])
