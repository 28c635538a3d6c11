"""What `load_data` hands to a source of data, and the built-in sources."""

import dataclasses
from collections.abc import Callable

from keras_csg.data.memory import available_memory

_BUILT_IN = {}


@dataclasses.dataclass(frozen=True)
class Request:
    """The checked arguments of `load_data`."""

    name: str
    data_dir: str | None
    image_size: tuple[int, int] | None
    validation_split: float
    seed: int
    cache: bool | str
    log: Callable[[str], None]

    def wants_cache(self, num_images, image_size):
        """Whether to keep images of `(height, width)` in memory."""
        if self.cache != "auto":
            return self.cache
        num_bytes = num_images * image_size[0] * image_size[1] * 3
        fits = num_bytes < available_memory() / 2
        if not fits:
            self.log(
                f"{num_images:,} images need {num_bytes / 2**30:.1f} GiB, more "
                "than half of the free memory: they are read anew every epoch."
            )
        return fits


def register_source(name):
    """Adds a data set that comes with the package, under a name.

    Use it on a function from `Request` to `ClassificationData`.
    """

    def register(load):
        if name in _BUILT_IN:
            raise ValueError(
                f"`name` must be free. Received: name={name!r}, taken."
            )
        _BUILT_IN[name] = load
        return load

    return register


def built_in_source(name):
    """Returns the function that loads a built-in set, or `None`."""
    return _BUILT_IN.get(name)


def list_built_in():
    """Returns the names of the built-in sets."""
    return list(_BUILT_IN)
