"""Times several sides of a comparison in turns, in short blocks.

Whatever else runs on the machine then slows all of them. A block of one side
is held against the same block of the other, and the ratios are reported with
their quartiles.
"""

import time

import numpy as np


def take_turns(sides, blocks=8, seconds=1.0):
    """Times functions in turns.

    Args:
        sides: dict of functions without arguments, by name. Each is called
            twice before, so that it is traced and warm.
        blocks: int. How often every side gets its turn.
        seconds: float. About how long a turn takes.

    Returns:
        dict of arrays of shape `(blocks,)`: seconds a call.
    """
    calls = {}
    for name, function in sides.items():
        function()
        calls[name] = max(1, round(seconds / _timed(function, 1)))
    taken = {name: [] for name in sides}
    for block in range(blocks):
        # The one that goes first changes, so none has the warmer caches.
        order = list(sides) if block % 2 == 0 else list(sides)[::-1]
        for name in order:
            taken[name].append(_timed(sides[name], calls[name]))
    return {name: np.array(times) for name, times in taken.items()}


def ratios(numerator, denominator):
    """Returns median, lower and upper quartile of the blocks' ratios."""
    low, middle, high = np.quantile(
        np.asarray(numerator) / denominator, [0.25, 0.5, 0.75]
    )
    return middle, low, high


def ratio_text(numerator, denominator):
    """Returns the ratio and its quartiles as text."""
    middle, low, high = ratios(numerator, denominator)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _timed(function, calls):
    started = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - started) / calls
