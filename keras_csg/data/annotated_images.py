from typing import NamedTuple

import numpy as np

from keras_csg.data.sources.base import list_built_in
from keras_csg.data.sources.folder_annotations import (
    FolderMasks,
    has_annotations,
)


class AnnotatedImages(NamedTuple):
    """Images of which is known where the object is.

    Attributes:
        images: uint8 array of shape `(n, height, width, 3)`.
        labels: int array of shape `(n,)`.
        masks: bool array of shape `(n, height, width)`, none of them empty;
            `None` if the data have no annotations.
    """

    images: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None


def load_annotated(
    data, *, data_dir=None, part="object", masks=None, limit=None
):
    """Returns images of the test split, and where their objects are.

    - `shapes` has the mask of every shape.
    - A folder of images has `boxes.csv` or mask files; see `FolderMasks`.
    - A set of TensorFlow Datasets has the feature `segmentation_mask`, `bbox`
      or `objects` with a `bbox`; see `load_annotated_tfds`.

    Args:
        data: `ClassificationData`.
        data_dir: path. Where TensorFlow Datasets keeps its sets.
        part: str. `"object"`, or a part of it that is annotated.
        masks: path of a folder of mask files.
        limit: int. Number of images, spread evenly over the split; `None` for
            all that are annotated.

    Returns:
        `AnnotatedImages`; without annotations, of any images.

    Raises:
        ValueError: if annotations cannot be read, lack the part, or belong to
            no image of the test split.
    """
    split = data.test
    if masks is not None and getattr(split, "paths", None) is None:
        raise ValueError(
            "Mask files belong to a folder of images. Received: "
            f"masks={str(masks)!r} for data={data.name!r}"
        )
    if getattr(split, "masks", None) is not None:
        return _with_masks(split, part, limit)
    if getattr(split, "paths", None) is not None:
        annotated = _in_folder(data, part, masks, limit)
    elif data.name in list_built_in():
        annotated = None
    else:
        annotated = _in_tfds(data, data_dir, part, limit)
    if annotated is not None:
        return annotated
    numbers = _spread(np.arange(split.num_examples), limit, part)
    return AnnotatedImages(*_read(split, numbers), None)


def _in_folder(data, part, masks, limit):
    if masks is None and not has_annotations(data.name):
        return None
    size = data.image_shape[:2]
    read = FolderMasks(data.name, data.test.paths, size, part, masks)
    numbers = _spread(np.flatnonzero(read.annotated), limit, part)
    return without_empty(*_read(data.test, numbers), read(numbers))


def _in_tfds(data, data_dir, part, limit):
    from keras_csg.data.sources.tfds_annotations import load_annotated_tfds

    return load_annotated_tfds(
        data.name,
        data.class_names,
        data.image_shape[:2],
        data_dir=data_dir,
        part=part,
        limit=limit,
    )


def _with_masks(split, part, limit):
    if part != "object":
        raise ValueError(
            "Of these images the object alone is annotated. "
            f"Received: part={part!r}"
        )
    numbers = _spread(np.arange(split.num_examples), limit, part)
    return without_empty(*_read(split, numbers), split.masks[numbers])


def _spread(numbers, limit, part):
    """Returns at most `limit` of some numbers, spread evenly over them."""
    if len(numbers) == 0:
        raise ValueError(
            "The annotations must belong to images of the test split. "
            f"Received: none for part={part!r}"
        )
    if limit is None or limit >= len(numbers):
        return numbers
    positions = (np.arange(limit) + 0.5) * len(numbers) / limit
    return numbers[positions.astype(int)]


def _read(split, numbers):
    """Returns images and labels at the given, sorted, places of a split."""
    images, labels, start, size = [], [], 0, 256
    for batch_images, batch_labels in split.batches(size):
        own = numbers[(numbers >= start) & (numbers < start + size)] - start
        images.append(batch_images.numpy()[own])
        labels.append(batch_labels.numpy()[own])
        start += size
    return np.concatenate(images), np.concatenate(labels)


def without_empty(images, labels, masks):
    """Leaves out images whose object was cropped away."""
    shown = masks.any(axis=(1, 2))
    return AnnotatedImages(images[shown], labels[shown], masks[shown])
