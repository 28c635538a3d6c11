import functools
import logging
import os
from numbers import Integral, Real
from pathlib import Path

from keras_csg.data.sources import digits as digits  # Registers itself.
from keras_csg.data.sources import shapes as shapes  # The same.
from keras_csg.data.sources.base import Request, built_in_source, list_built_in

_logger = logging.getLogger("keras_csg")


def load_data(
    name,
    *,
    data_dir=None,
    image_size=None,
    validation_split=0.1,
    seed=0,
    cache="auto",
    log=None,
):
    """Loads images with class labels, by name.

    - `digits` comes with the package's dependencies and needs nothing;
      `shapes` is drawn, with the exact mask of each object.
    - A folder has a sub-folder of images for each class, or such folders
      within `train`, `val` and `test`. Of `train` and `val` alone, `val` is
      the test split.
    - Anything else is a data set of TensorFlow Datasets: `cifar10`,
      `imagenet2012`, `name/config:1.0.0`. Where it has no labelled test split,
      its validation split takes that place.

    What is missing is held out of the training images, with equal shares of
    the classes where the labels are in memory: `validation_split` by `seed`, a
    fifth as test split independent of it. Other sizes are resized with their
    aspect kept and cropped about the centre.

    Args:
        name: str or path.
        data_dir: str or path. Where TensorFlow Datasets keeps its sets.
            Defaults to its environment variable `TFDS_DATA_DIR`.
        image_size: int or pair `(height, width)`. Defaults to the images' own
            size where they share one, else 224.
        validation_split: float. Share of the training images held out, in
            `(0, 0.5]`.
        seed: int. Seed of the choice of the validation images.
        cache: bool or `"auto"`. Whether to keep the decoded images in memory;
            `"auto"` does if they take less than half of what is free.
        log: Callable that takes a line of progress, `None` for `logging`.

    Returns:
        A `ClassificationData`.

    Raises:
        ValueError: for whatever cannot be loaded, in one line.

    Example:
        data = keras_csg.load_data("digits")
        batches = data.train.training_batches(128, seed=0, epochs=10)
    """
    request = Request(
        name=os.fspath(name),
        data_dir=data_dir and os.fspath(data_dir),
        image_size=_checked_size(image_size),
        validation_split=_checked_split(validation_split),
        seed=_checked_seed(seed),
        cache=_checked_cache(cache),
        log=log or _logger.info,
    )
    return _source(request.name)(request)


@functools.cache
def list_datasets():
    """Returns names that `load_data` knows without asking the network.

    The built-in sets come first, then TensorFlow Datasets' sets of images with
    one class label each.
    """
    from keras_csg.data.sources.tfds_catalogue import list_image_sets

    return [*list_built_in(), *list_image_sets()]


def is_image_folder(name, data_dir=None):
    """Whether data are a folder of images, even one that is not there now.

    Args:
        name: str. What the data were loaded by.
        data_dir: path. Where TensorFlow Datasets might keep them otherwise.
    """
    from keras_csg.data.sources.tfds_builder import base_name, is_known

    if built_in_source(name):
        return False
    if Path(name).expanduser().is_dir():
        return True
    base = base_name(name)
    prepared = data_dir and base and Path(data_dir, base).is_dir()
    return not is_known(name) and not prepared


def _source(name):
    """Returns the function that loads what `name` means."""
    if built_in := built_in_source(name):
        return built_in
    if _is_folder(name):
        from keras_csg.data.sources.folder import load_folder

        return load_folder
    # Imported late: it takes a second, and not everyone needs it.
    from keras_csg.data.sources.tfds import load_tfds

    return load_tfds


def _is_folder(name):
    if Path(name).expanduser().is_dir():
        return True
    if "/" not in name and os.sep not in name:
        return False
    from keras_csg.data.sources.tfds_builder import is_known

    return not is_known(name)


def _checked_size(image_size):
    if image_size is None:
        return None
    size = (image_size,) * 2 if isinstance(image_size, Integral) else image_size
    try:
        size = tuple(size)
        valid = len(size) == 2 and all(
            isinstance(side, Integral) and side > 0 for side in size
        )
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(
            "`image_size` must be a positive integer or a pair of them, "
            f"(height, width). Received: image_size={image_size!r}"
        )
    return int(size[0]), int(size[1])


def _checked_split(validation_split):
    number = isinstance(validation_split, Real)
    if not number or not 0 < validation_split <= 0.5:
        raise ValueError(
            "`validation_split` must be above 0 and at most 0.5. "
            f"Received: validation_split={validation_split!r}"
        )
    return validation_split


def _checked_seed(seed):
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(
            f"`seed` must be an integer of at least 0. Received: seed={seed!r}"
        )
    return int(seed)


def _checked_cache(cache):
    if cache not in (True, False, "auto"):
        raise ValueError(
            f'`cache` must be True, False or "auto". Received: cache={cache!r}'
        )
    return cache
