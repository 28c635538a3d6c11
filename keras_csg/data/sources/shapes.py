import os
from typing import NamedTuple

import numpy as np

from keras_csg.data.annotated_images import AnnotatedImages, choose_annotated
from keras_csg.data.memory import check_images
from keras_csg.data.sources.base import ClassificationData, Source
from keras_csg.data.sources.class_choice import choose_classes
from keras_csg.data.sources.registry import register_source
from keras_csg.data.sources.shape_outlines import OUTLINES
from keras_csg.data.splits.holdout import three_ways
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader

CLASS_NAMES = list(OUTLINES)
COUNT = 5000
SHAPES_SIZE = (64, 64)
DRAWN_BYTES = 4
"""Of a pixel: red, green, blue and the mask."""
_CHUNK = 500
_LEAST_CONTRAST = 64


class Shapes(NamedTuple):
    """Images of one coloured shape each.

    Attributes:
        images: uint8 array of shape `(count, height, width, 3)`.
        labels: int32 array of shape `(count,)`: numbers of `CLASS_NAMES`.
        masks: bool array of shape `(count, height, width)`: the pixels of the
            shape, exactly.
    """

    images: np.ndarray
    labels: np.ndarray
    masks: np.ndarray


@register_source("shapes")
class ShapesSource(Source):
    """5,000 images of ten drawn shapes; the same ones at every call."""

    def load(self) -> ClassificationData:
        """Draws the images, and keeps the masks of the test split."""
        request = self.request
        size = request.image_size or SHAPES_SIZE
        check_images(COUNT, size, DRAWN_BYTES)
        images, labels, masks = make_shapes(COUNT, size)
        names, number_of = choose_classes(CLASS_NAMES, request)
        numbers = number_of[labels]
        parts = three_ways(
            labels, request.validation_split, request.seed, numbers
        )
        self._test_masks = masks[parts[2]]
        read, shape = cached_reader(images), (*size, 3)
        splits = [
            IndexedSplit(read, numbers, part, len(names), shape, cached=True)
            for part in parts
        ]
        return ClassificationData(self, names, shape, *splits)

    def find_annotated(
        self,
        data: ClassificationData,
        part: str,
        masks: str | os.PathLike | None,
        limit: int | None,
    ) -> AnnotatedImages:
        """Returns images of the test split with the exact masks."""
        if part != "object":
            raise ValueError(
                "Of these images the object alone is annotated. "
                f"Received: part={part!r}"
            )
        every = np.arange(data.test.num_examples)
        return choose_annotated(
            data.test, every, lambda own: self._test_masks[own], part, limit
        )


def make_shapes(
    count: int, size: tuple[int, int] = SHAPES_SIZE, seed: int = 0
) -> Shapes:
    """Draws coloured shapes on textured grounds.

    Place, size, angle, both colours and both textures are random and do not
    depend on the class, so nothing but the outline tells it.

    Args:
        count: int. Number of images; every class has its share of them.
        size: tuple `(height, width)`.
        seed: int.

    Returns:
        `Shapes`.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASS_NAMES)
    labels = rng.permutation(labels).astype("int32")
    chunks = [
        _draw(labels[start : start + _CHUNK], size, rng)
        for start in range(0, count, _CHUNK)
    ]
    images, masks = (
        np.concatenate(parts) for parts in zip(*chunks, strict=True)
    )
    return Shapes(images, labels, masks)


def _draw(labels, size, rng):
    masks = _masks(labels, size, rng)
    ground, colour = _colours(len(labels), rng)
    images = np.where(masks[..., None], colour, ground)
    textures = [_texture(len(labels), size, rng) for _ in range(2)]
    images += np.where(masks, *textures)[..., None]
    images += 6 * rng.standard_normal(images.shape, "float32")
    return np.clip(np.round(images), 0, 255).astype("uint8"), masks


def _masks(labels, size, rng):
    """Returns the pixels of each image's shape, `(count, height, width)`."""
    count, short = len(labels), min(size)
    radius = rng.uniform(0.2, 0.4, count) * short
    centre = rng.uniform(radius, np.array(size)[:, None] - radius)
    angle = rng.uniform(0, 2 * np.pi, count)
    y, x = _pixels(size)
    y, x, radius, angle = _per_pixel(y, x, centre, radius, angle)
    u = (x * np.cos(angle) + y * np.sin(angle)) / radius
    v = (y * np.cos(angle) - x * np.sin(angle)) / radius
    masks = np.empty((count, *size), bool)
    for label, inside in enumerate(OUTLINES.values()):
        own = labels == label
        masks[own] = inside(u[own], v[own])
    return masks


def _pixels(size):
    """Returns the pixels' centres: `(height, 1)` and `(1, width)`."""
    y, x = (np.arange(side, dtype="float32") + 0.5 for side in size)
    return y[:, None], x[None, :]


def _per_pixel(y, x, centre, radius, angle):
    centre, radius, angle = (
        np.asarray(array, "float32")[..., None, None]
        for array in (centre, radius, angle)
    )
    return y - centre[0], x - centre[1], radius, angle


def _colours(count, rng):
    """Returns two colours an image, apart in every channel."""
    ground = rng.uniform(0, 256, (count, 1, 1, 3))
    shift = rng.uniform(_LEAST_CONTRAST, 256 - _LEAST_CONTRAST, ground.shape)
    return ground.astype("float32"), ((ground + shift) % 256).astype("float32")


def _texture(count, size, rng, waves=3):
    """Returns sums of plane waves, `(count, height, width)`."""
    y, x = _pixels(size)
    frequency = rng.uniform(1, 8, (waves, count, 1, 1)) / min(size)
    angle = rng.uniform(0, np.pi, frequency.shape)
    phase = rng.uniform(0, 2 * np.pi, frequency.shape)
    height = rng.uniform(2, 14, frequency.shape)
    texture = np.zeros((count, *size), "float32")
    for f, a, p, h in zip(frequency, angle, phase, height, strict=True):
        along = (np.cos(a) * x + np.sin(a) * y) * (2 * np.pi * f) + p
        texture += h.astype("float32") * np.sin(along.astype("float32"))
    return texture
