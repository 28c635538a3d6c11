"""What a source of data is asked for."""

import dataclasses
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real

from keras_csg.arguments import height_and_width
from keras_csg.data.image_reading import PLAIN, ImageReading
from keras_csg.data.listing import Listing
from keras_csg.data.memory import (
    available_memory,
    check_image_size,
    check_images,
)
from keras_csg.data.sources.split_names import NONE, parse_splits

_logger = logging.getLogger("keras_csg")

SETS = "a folder of images, or a set of Hugging Face or TensorFlow Datasets"
OPTIONAL = {
    "splits": SETS,
    "drop_duplicates": "a folder of images",
    "multi_label": "a folder of images with a table of `labels`",
    "labels": SETS,
}
"""Arguments of `load_data` that not every kind of data takes, and which do."""


@dataclasses.dataclass(frozen=True)
class Request:
    """The checked arguments of `load_data`, which see.

    A run's data have more of them.

    Attributes:
        reading: `ImageReading`: how files become pixels.
        known: `Listing` of the images that a run was trained and tested on.
        hold_out_classes: names of classes that are left out, so that there are
            images which the run knows nothing of.
        shuffled: bool. Whether what is held out is drawn from all images there
            are, as before runs kept such a list.
        looking: bool. Whether the data are only looked at: many broken files
            are told of, not refused.
    """

    name: str
    data_dir: str | None
    image_size: tuple[int, int] | None
    validation_split: float
    seed: int
    cache: bool | str
    log: Callable[[str], None]
    splits: str | Mapping[str, str] | None = None
    drop_duplicates: bool = False
    labels: str | None = None
    multi_label: bool = False
    classes: str | Sequence[str] | None = None
    rename_classes: str | Mapping[str, str] | None = None
    merge_classes: str | Mapping[str, Sequence[str]] | None = None
    reading: ImageReading = PLAIN
    known: Listing | None = None
    hold_out_classes: str | Sequence[str] | None = None
    shuffled: bool = False
    looking: bool = False

    def changes_in(self, listing: Listing) -> str:
        """Says whether a set is not the one that a run was trained on.

        Args:
            listing: `Listing` of the set as it is, with a digest.

        Returns:
            A line, which is logged as well; `""` for nothing.
        """
        if self.known is None or self.known.digest == listing.digest:
            return ""
        changes = f"{self.name} is not the set that the run was trained on."
        self.log(changes)
        return changes

    def wants_cache(self, num_images: int, image_size: tuple[int, int]) -> bool:
        """Whether to keep images of `(height, width)` in memory.

        Raises:
            ValueError: if they are to be kept and do not fit.
        """
        if self.cache != "auto":
            if self.cache:
                check_images(num_images, image_size)
            return bool(self.cache)
        num_bytes = num_images * image_size[0] * image_size[1] * 3
        fits = num_bytes < available_memory() / 2
        if not fits:
            self.log(
                f"{num_images:,} images need {num_bytes / 2**30:.1f} GiB, more "
                "than half of the free memory: they are read anew every epoch."
            )
        return fits


def checked_request(
    name: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    image_size: int | str | tuple[int, int] | None = None,
    validation_split: float = 0.1,
    seed: int = 0,
    cache: bool | str = "auto",
    splits: str | Mapping[str, str] | None = None,
    drop_duplicates: bool = False,
    labels: str | os.PathLike | None = None,
    multi_label: bool = False,
    classes: str | Sequence[str] | None = None,
    rename_classes: str | Mapping[str, str] | None = None,
    merge_classes: str | Mapping[str, Sequence[str]] | None = None,
    resize: str = PLAIN.resize,
    background: str = PLAIN.background,
    white_level: int | None = None,
    max_pixels: int = PLAIN.max_pixels,
    known: Listing | None = None,
    hold_out_classes: str | Sequence[str] | None = None,
    shuffled: bool = False,
    looking: bool = False,
    log: Callable[[str], None] | None = None,
) -> Request:
    """Checks the arguments of `load_data` and fills in what is left open.

    Raises:
        ValueError: for an argument that no source of data could serve.
    """
    return Request(
        name=_checked_path("name", name),
        data_dir=_checked_path("data_dir", data_dir),
        image_size=_checked_size(image_size),
        validation_split=_checked_split(validation_split),
        seed=_checked_seed(seed),
        cache=_checked_cache(cache),
        log=log or _logger.info,
        splits=_checked_splits(splits),
        drop_duplicates=_checked_flag("drop_duplicates", drop_duplicates),
        labels=_checked_path("labels", labels),
        multi_label=_checked_flag("multi_label", multi_label),
        classes=classes,
        rename_classes=rename_classes,
        merge_classes=merge_classes,
        reading=ImageReading(resize, background, white_level, max_pixels),
        known=known,
        hold_out_classes=hold_out_classes,
        shuffled=shuffled,
        looking=looking,
    )


def _checked_path(argument, path):
    """Returns a path as str; an empty one would be the current directory."""
    if path is None and argument != "name":
        return None
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise ValueError(
            f"`{argument}` must be a name or a path. "
            f"Received: {argument}={path!r}"
        )
    return os.fspath(path)


def _checked_size(image_size):
    size = height_and_width(image_size)
    if size is not None:
        check_image_size(size)
    return size


def _checked_split(validation_split):
    number = isinstance(validation_split, Real)
    if not number or not 0 < validation_split <= 0.5:
        raise ValueError(
            "`validation_split` must be above 0 and at most 0.5. "
            f"Received: validation_split={validation_split!r}"
        )
    return validation_split


def _checked_splits(splits):
    if splits != NONE:
        parse_splits(splits)
    return splits


def _checked_seed(seed):
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(
            f"`seed` must be an integer of at least 0. Received: seed={seed!r}"
        )
    return int(seed)


def _checked_flag(name, value):
    if not isinstance(value, bool):
        raise ValueError(
            f"`{name}` must be True or False. Received: {name}={value!r}"
        )
    return value


def _checked_cache(cache):
    if cache not in (True, False, "auto"):
        raise ValueError(
            f'`cache` must be True, False or "auto". Received: cache={cache!r}'
        )
    return cache
