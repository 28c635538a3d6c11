"""What is said at the end of image files that have no answer."""

from collections.abc import Sequence

SHOWN = 5
"""Broken files that are named."""


def about_broken(broken: Sequence[str], count: int, lacking: str) -> str:
    """Returns one line about broken files.

    Args:
        broken: what is wrong with each, its name within.
        count: int. Number of all files.
        lacking: what they have none of, such as "prediction".
    """
    if len(broken) == 1:
        return broken[0]
    more = len(broken) - SHOWN
    named = "; ".join(broken[:SHOWN]) + (f"; {more:,} more" * (more > 0))
    return f"{len(broken):,} of {count:,} images have no {lacking}: {named}"
