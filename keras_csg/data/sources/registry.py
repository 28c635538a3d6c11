"""Which kind of data a name means: decided here, and nowhere else."""

import difflib
import os
from collections.abc import Callable

from keras_csg.data.sources.base import Source
from keras_csg.files import at_home

_NAMED: dict[str, type[Source]] = {}
_KINDS: list[type[Source]] = []


def register_source(*names: str) -> Callable[[type[Source]], type[Source]]:
    """Adds a kind of data.

    Use it on a subclass of `Source`.

    Args:
        *names: str. Names that mean this kind and nothing else. Other names
            are put to `Source.means`.

    Raises:
        ValueError: if a name is taken.
    """

    def register(kind: type[Source]) -> type[Source]:
        for name in names:
            if name in _NAMED:
                raise ValueError(
                    f"`name` must be free. Received: name={name!r}, taken."
                )
        _NAMED.update(dict.fromkeys(names, kind))
        _KINDS.append(kind)
        return kind

    return register


def find_source(name: str, data_dir: str | None = None) -> type[Source]:
    """Returns the kind of data that a name means.

    Args:
        name: str. What the user calls the data.
        data_dir: str. The folder that the user named with it, if any.

    Raises:
        ValueError: if there are no such data, with the nearest names.
    """
    kind = _look_up(name, data_dir)
    if kind is not None:
        return kind
    if "/" in name or os.sep in name:
        folder = str(at_home(name))
        raise ValueError(
            f"The data must be an existing folder. Received: {folder!r}"
        )
    base, known = name.partition(":")[0], list_datasets()
    near = difflib.get_close_matches(base, known, n=4, cutoff=0.5)
    raise ValueError(
        f"The data must be one of {', '.join(_NAMED)}, a folder of "
        "images or a data set of TensorFlow Datasets"
        + (f" (the nearest: {', '.join(near)})" if near else "")
        + f". Received: {name!r}"
    )


def moved_name(name: str, data_dir: str | os.PathLike) -> str:
    """Returns the name by which to load data that moved to `data_dir`.

    Args:
        name: str. What they were loaded by before.
        data_dir: path. A folder of images itself, or the folder of TensorFlow
            Datasets.
    """
    kind = _look_up(name, os.fspath(data_dir))
    # Nothing but a folder of images can be gone without a trace.
    if kind is None:
        return os.fspath(data_dir)
    return kind.moved_name(name, data_dir)


def list_datasets() -> list[str]:
    """Returns names that `load_data` knows without asking the network.

    The names of registered kinds come first, then TensorFlow Datasets' sets of
    images with one class label each.
    """
    from keras_csg.data.sources.tfds_catalogue import list_image_sets

    return [*_NAMED, *list_image_sets()]


def _look_up(name, data_dir):
    """Returns the kind that a name means, `None` if there is none."""
    if name in _NAMED:
        return _NAMED[name]
    kinds = (kind for kind in reversed(_KINDS) if kind.means(name, data_dir))
    return next(kinds, None)
