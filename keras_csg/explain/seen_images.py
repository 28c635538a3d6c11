"""Images as people and as a network see them, and the maps it makes."""

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from keras_csg.arguments import whole_number
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
    images: Any, size: tuple[int, int] | None, reading: ImageReading
) -> tuple[list[Picture], np.ndarray]:
    """Returns images as people and as a network of a size see them.

    Args:
        images: see `explain`.
        size: tuple `(height, width)`; `None` where a network takes any, and
            images must be arrays.
        reading: `ImageReading`.

    Returns:
        list of `Picture`, and float32 array `(samples, height, width, 3)`.

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
    pixels = np.stack([np.asarray(seen, "float32") for _, seen in pairs])
    return [picture for picture, _ in pairs], pixels


def _picture(image, number, size, reading):
    if isinstance(image, str | os.PathLike):
        return picture_of_file(image, reading, size)
    name = f"image {number}"
    if isinstance(image, Image.Image):
        return picture_of_image(image, reading, size, name)
    (array,) = check_rgb(np.asarray(image)[None])
    check_levels(array)
    if size in (None, array.shape[:2]):
        return picture_of_array(array, name), array
    whole = Image.fromarray(picture_of_array(array, name).pixels)
    return picture_of_image(whole, reading, size, name)


def _size(model):
    size = model.backbone.input_shape[1:3]
    return None if None in size else tuple(size)
