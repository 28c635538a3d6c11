"""Sizes of images, in pixels, that are treated in one way or the other."""

from collections.abc import Iterable

SMALL_IMAGE = 64
"""Height up to which training shifts images rather than zooms into them."""
DEFAULT_SIZE = (224, 224)
"""Size of images that come in many sizes, where none is asked for."""


def size_of_all(sizes: Iterable[tuple[int, int] | None]) -> tuple[int, int]:
    """Returns the size to load images at, where none is asked for.

    That which all share, unless it is of a camera: nobody trains on it.

    Args:
        sizes: `(height, width)` of each, `None` of broken ones.
    """
    known = {size for size in sizes if size is not None}
    size = known.pop() if len(known) == 1 else DEFAULT_SIZE
    return size if max(size) <= max(DEFAULT_SIZE) else DEFAULT_SIZE
