import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import keras_csg.plots as plots
from keras_csg.choices import MOST_PIXELS
from keras_csg.commands.arguments import (
    check_callable,
    check_flag,
    check_path,
    check_picture,
    logger,
)
from keras_csg.commands.input_error import input_errors
from keras_csg.data import ClassificationData, DataReport, report_on
from keras_csg.data.sources.known import find_source
from keras_csg.data.sources.request import checked_request

MOST_CLASSES = 24
EXAMPLES = 6
"""Classes, and images of each, that a picture has room for."""


def describe_data(
    data: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    image_size: int | str | tuple[int, int] | None = None,
    validation_split: float = 0.1,
    splits: str | Mapping[str, str] | None = None,
    drop_duplicates: bool = False,
    labels: str | os.PathLike | None = None,
    multi_label: bool = False,
    classes: str | Sequence[str] | None = None,
    rename_classes: str | Mapping[str, str] | None = None,
    merge_classes: str | Mapping[str, Sequence[str]] | None = None,
    resize: str = "crop",
    background: str = "white",
    white_level: int | None = None,
    max_pixels: int = MOST_PIXELS,
    seed: int = 0,
    near: bool = True,
    picture: str | os.PathLike | None = None,
    track: Callable[[Iterable, str, int], Iterable] = lambda batches, *_: (
        batches
    ),
    log: Callable[[str], Any] | None = print,
) -> DataReport:
    """Says what a data set holds, as a training with these arguments sees it.

    Args:
        data: str or path, as `keras_csg.load_data` takes it.
        data_dir: see there, as the next fourteen.
        image_size: see there.
        validation_split: see there.
        splits: see there.
        drop_duplicates: see there.
        labels: see there.
        multi_label: see there.
        classes: see there.
        rename_classes: see there.
        merge_classes: see there.
        resize: see there.
        background: see there.
        white_level: see there.
        max_pixels: see there.
        seed: see there.
        near: bool. Whether to look for nearly equal pictures, too.
        picture: path of a PNG file for some images of each class; `None` for
            none.
        track: callable from batches, a text and their number to the batches,
            such as a progress bar.
        log: callable that takes a line of progress; `None` for silence.

    Returns:
        `DataReport`.

    Raises:
        InputError: if the data cannot be loaded, or an argument is not as
            described.
    """
    check_path("data", data)
    check_path("picture", picture, optional=True)
    if picture is not None:
        check_picture("picture", picture)
    check_flag("near", near)
    check_callable("track", track)
    with input_errors():
        request = checked_request(
            data,
            data_dir=data_dir,
            image_size=image_size,
            validation_split=validation_split,
            splits=splits,
            drop_duplicates=drop_duplicates,
            labels=labels,
            multi_label=multi_label,
            classes=classes,
            rename_classes=rename_classes,
            merge_classes=merge_classes,
            resize=resize,
            background=background,
            white_level=white_level,
            max_pixels=max_pixels,
            seed=seed,
            looking=True,
            log=logger(log),
        )
        loaded = find_source(request.name, request.data_dir)(request).load()
    report = report_on(loaded, near=near, track=track)
    if picture is not None:
        with input_errors():
            plots.save_examples(_examples(loaded), pathlib.Path(picture))
    return report


def _examples(data: ClassificationData) -> dict[str, np.ndarray]:
    """Returns the first training images of the first classes."""
    names = data.class_names[:MOST_CLASSES]
    wanted = np.minimum(data.train.class_counts[: len(names)], EXAMPLES)
    found: list[list] = [[] for _ in names]
    for images, labels in data.train.batches(256):
        for image, label in zip(images.numpy(), labels.numpy(), strict=True):
            for number in np.flatnonzero(label) if label.ndim else [label]:
                if number < len(names) and len(found[number]) < wanted[number]:
                    found[number].append(image)
        if all(len(f) == w for f, w in zip(found, wanted, strict=True)):
            break
    return {
        name: np.stack(images)
        for name, images in zip(names, found, strict=True)
    }
