"""Where known ends: from clean images, at a rate of false alarms."""

import warnings
from typing import Any

import numpy as np

from keras_csg.arguments import real_number

LEAST_LEARNED, LEAST_OF_A_CLASS = 20, 2
FEW_LEARNED = 200
"""Images that are learned from: refused below the first, warned of below."""


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
    check_possible(count, rate)
    if count < 10 / rate:
        warnings.warn(
            f"The threshold rests on {count:,} clean images: the rate of false "
            f"alarms may be far from {rate:g}. "
            f"{int(np.ceil(10 / rate)):,} make it sure.",
            stacklevel=3,
        )


def check_possible(count: int, rate: float) -> None:
    """Refuses a rate that so few images cannot show.

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


def check_learned(count: int, classes: int) -> None:
    """Refuses too few images to learn from, and warns of few.

    Args:
        count: int. Clean images that something is learned from.
        classes: int.

    Raises:
        ValueError: if there are fewer than 20, or 2 of each class.
    """
    least = max(LEAST_LEARNED, LEAST_OF_A_CLASS * classes)
    if count < least:
        raise ValueError(
            f"A detector learns from {least:,} clean `images` or more, beside "
            f"those that its threshold is found from. Received: {count:,}"
        )
    if count < FEW_LEARNED:
        warnings.warn(
            f"The detector learns from {count:,} clean images alone: "
            f"{FEW_LEARNED:,} or more tell better what such look like.",
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
