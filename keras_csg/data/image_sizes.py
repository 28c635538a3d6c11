"""Sizes of images, in pixels, that are treated in one way or the other."""

SMALL_IMAGE = 64
"""Height up to which training shifts images rather than zooms into them."""
DEFAULT_SIZE = (224, 224)
"""Size of images that come in many sizes, where none is asked for."""
