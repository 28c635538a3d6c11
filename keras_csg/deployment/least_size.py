"""The smallest images that a network of images of any size takes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

LARGE = 1024
"""A side, in pixels, that every network takes, and that images are read at."""


def least_size(backbone: "keras.Model") -> list[int] | None:
    """Returns the smallest height and width of which maps are left.

    Runtimes do not agree about smaller ones: some fail, and some round a map
    of no pixel up to one, and answer.

    Args:
        backbone: `keras.Model` whose inputs are `(batch, None, None, 3)`.

    Returns:
        list of two int; `None` if its layers do not tell their shapes.
    """
    if not _takes(backbone, LARGE, LARGE):
        return None
    return [
        _least(lambda side: _takes(backbone, side, LARGE)),
        _least(lambda side: _takes(backbone, LARGE, side)),
    ]


def _least(takes):
    """Returns the smallest side that is taken, if all larger ones are.

    From below: most networks take a pixel, and asking takes a while.
    """
    high = 1
    while not takes(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if takes(middle) else (middle, high)
    return high


def _takes(backbone, height, width):
    """Whether each side of the maps has a pixel."""
    channels = backbone.input_shape[-1]
    try:
        maps = backbone.compute_output_shape((1, height, width, channels))
        return all(side is None or side > 0 for side in maps)
    except Exception:  # Of each layer others, where a side would be negative.
        return False
