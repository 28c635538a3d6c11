"""Images as people and as a network see them, and the maps it makes."""

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from keras_csg.arguments import whole_number
from keras_csg.data.image_fitting import FreeSize, size_for
from keras_csg.data.image_reading import ImageReading
from keras_csg.explain.feature_maps import check_levels, check_rgb, in_batches
from keras_csg.explain.pictures import (
    Picture,
    picture_of_array,
    picture_of_file,
    picture_of_image,
)
from keras_csg.models.classifier import CSGClassifier


@dataclasses.dataclass(frozen=True, eq=False)
class SeenImages:
    """Images that a backbone was run on, to be explained again and again.

    Attributes:
        pictures: list of `Picture`, the n images.
        maps: float32 array of shape `(n, h, w, filters)`.
    """

    pictures: list[Picture]
    maps: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)


def look_at(
    model: CSGClassifier, images: Any, *, batch_size: int = 32
) -> SeenImages:
    """Runs the backbone of a classifier, once for several explanations.

    `explain` takes what it returns in place of images: other classes, and
    what would be predicted without some filters, then cost a product of two
    matrices.

    Args:
        model: `CSGClassifier`.
        images: see `keras_csg.explain.explain`.
        batch_size: int.

    Returns:
        `SeenImages`, with the maps of all images in memory.

    Raises:
        ValueError: if an argument is not as described, or a file cannot be
            read.
    """
    batch_size = whole_number("batch_size", batch_size, 1)
    pictures, batches = opened(model, images, batch_size)
    return SeenImages(pictures, np.concatenate(list(batches)))


def opened(
    model: CSGClassifier, images: Any, batch_size: int
) -> tuple[list[Picture], Iterator[np.ndarray]]:
    """Returns pictures, and batches of the maps that the network makes of them.

    Args:
        model: `CSGClassifier`.
        images: see `keras_csg.explain.explain`.
        batch_size: int.

    Returns:
        list of n `Picture`, and float32 arrays `(batch, h, w, filters)`, each
        made when it is asked for.

    Raises:
        ValueError: if the images are not as described, or were seen by a
            network with other filters.
    """
    if not isinstance(images, SeenImages):
        reading = ImageReading(**model.image_reading)
        pictures, pixels = pictures_of(images, _size(model), reading)
        return pictures, (
            np.asarray(model.backbone.predict_on_batch(batch), "float32")
            for batch in in_batches(pixels, batch_size)
        )
    if images.maps.shape[-1] != model.filters:
        raise ValueError(
            f"`images` must be seen by a network of {model.filters} filters. "
            f"Received: images.maps.shape={images.maps.shape}"
        )
    return images.pictures, iter(in_batches(images.maps, batch_size))


def pictures_of(
    images: Any, size: FreeSize, reading: ImageReading
) -> tuple[list[Picture], np.ndarray]:
    """Returns images as people and as a network of a size see them.

    Args:
        images: see `explain`.
        size: tuple `(height, width)`; `None` where a network takes any, of
            all or of one side: see `ImageReading.decode`.
        reading: `ImageReading`.

    Returns:
        list of `Picture`, and float32 array `(samples, height, width, 3)`.

    Raises:
        ValueError: if the images are not as described, or a network that
            takes any size would see them at several.
    """
    pictures, seen = pictures_of_any_size(images, size, reading)
    sizes = sorted({pixels.shape[:2] for pixels in seen})
    if len(sizes) > 1:
        shown = ", ".join(f"{height}x{width}" for height, width in sizes[:3])
        raise ValueError(
            "`images` must be of one size, since the network takes any: give "
            f"them one by one. Received: {shown}"
        )
    return pictures, np.stack(seen)


def pictures_of_any_size(
    images: Any, size: FreeSize, reading: ImageReading
) -> tuple[list[Picture], list[np.ndarray]]:
    """Returns the same, where each image may have a size of its own.

    Args:
        images: see `pictures_of`.
        size: see `pictures_of`.
        reading: `ImageReading`.

    Returns:
        list of `Picture`, and list of float32 arrays `(height, width, 3)`.

    Raises:
        ValueError: if the images are not as described.
    """
    if isinstance(images, str | os.PathLike | Image.Image):
        images = [images]
    if not isinstance(images, list | tuple):
        images = ops.convert_to_numpy(images)
        images = images[None] if images.ndim == 3 else images
        images = check_rgb(images)
    if not len(images):
        raise ValueError("`images` must not be empty. Received: images=[]")
    pairs = [
        _picture(image, number, size, reading)
        for number, image in enumerate(images)
    ]
    seen = [np.asarray(pixels, "float32") for _, pixels in pairs]
    return [picture for picture, _ in pairs], seen


def _picture(image, number, size, reading):
    if isinstance(image, str | os.PathLike):
        return picture_of_file(image, reading, size)
    name = f"image {number}"
    if isinstance(image, Image.Image):
        return picture_of_image(image, reading, size, name)
    (array,) = check_rgb(np.asarray(image)[None])
    check_levels(array)
    any_size = size is None or size == (None, None)
    if any_size or size_for(array.shape[:2], size) == array.shape[:2]:
        return picture_of_array(array, name), array
    whole = Image.fromarray(picture_of_array(array, name).pixels)
    return picture_of_image(whole, reading, size, name)


def _size(model):
    return tuple(model.backbone.input_shape[1:3])
