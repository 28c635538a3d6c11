"""Images that show no class at all, made here: no files, a seed alone."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from keras_csg.choices import MADE_UP as MADE_UP

PATCHES = 4
"""Patches along each side of an image whose patches are shuffled."""
COARSEST = 4
"""Colours along each side of a smooth image."""


def make_up_images(
    kind: str,
    count: int,
    image_shape: tuple[int, int, int],
    seed: int = 0,
    images: np.ndarray | None = None,
) -> np.ndarray:
    """Makes images of one kind that no class can be seen in.

    - `"noise"`: pixels that know nothing of each other, uniform in the first
      half and normal about grey, of standard deviation 64, in the second.
    - `"colours"`: colours that change smoothly over the image.
    - `"textures"`: waves of two colours, each of its own direction and length.
    - `"shapes"`: an ellipse or a rectangle of one colour on another.
    - `"patches"`: real images cut into 4x4 patches that are put together
      again in another order: everything an image has but what it shows.

    Args:
        kind: str. One of `MADE_UP`.
        count: int. Number of images.
        image_shape: tuple `(height, width, 3)`.
        seed: int. The same seed makes the same images.
        images: array of shape `(samples, height, width, 3)` that `"patches"`
            are cut from, in turn.

    Returns:
        float32 array of shape `(count, height, width, 3)`, RGB in 0..255.

    Raises:
        ValueError: if `kind` is none of these, or `"patches"` has no images.
    """
    if kind not in MADE_UP:
        raise ValueError(
            f"`kind` must be one of {', '.join(MADE_UP)}. "
            f"Received: kind={kind!r}"
        )
    rng = np.random.default_rng(seed)
    if kind == "patches":
        if images is None or not len(images):
            raise ValueError(
                "Shuffled patches are cut from real images. Received: none"
            )
        return _patches(count, images, rng)
    made = MAKERS[kind](count, image_shape[:2], rng)
    return np.clip(made, 0, 255).astype("float32")


def _noise(count, size, rng):
    half = count // 2
    uniform = rng.uniform(0, 255, (half, *size, 3))
    normal = rng.normal(127.5, 64, (count - half, *size, 3))
    return np.concatenate([uniform, normal])


def _colours(count, size, rng):
    coarse = rng.uniform(0, 255, (count, COARSEST, COARSEST, 3))
    zoom = (1, size[0] / COARSEST, size[1] / COARSEST, 1)
    return ndimage.zoom(coarse, zoom, order=1, mode="nearest")


def _textures(count, size, rng):
    rows, columns = np.meshgrid(*map(np.arange, size), indexing="ij")
    angle, length, phase = (
        rng.uniform(low, high, (count, 1, 1))
        for low, high in ((0, np.pi), (2, 16), (0, 2 * np.pi))
    )
    along = rows * np.sin(angle) + columns * np.cos(angle)
    wave = np.sin(2 * np.pi * along / length + phase)
    # Half of them with hard edges: stripes.
    hard = rng.random((count, 1, 1)) < 0.5
    wave = np.where(hard, np.sign(wave), wave)
    return _blend((wave + 1) / 2, rng)


def _shapes(count, size, rng):
    rows, columns = np.meshgrid(
        *(np.linspace(-1, 1, side) for side in size), indexing="ij"
    )
    y, x = rng.uniform(-0.4, 0.4, (2, count, 1, 1))
    height, width = rng.uniform(0.25, 0.6, (2, count, 1, 1))
    down, across = abs(rows - y) / height, abs(columns - x) / width
    ellipse = down**2 + across**2 <= 1
    box = (down <= 1) & (across <= 1)
    round_ones = rng.random((count, 1, 1)) < 0.5
    return _blend(np.where(round_ones, ellipse, box).astype(float), rng)


def _blend(share, rng):
    """Returns images between two random colours each, by a share a pixel."""
    one, other = rng.uniform(0, 255, (2, len(share), 1, 1, 3))
    return share[..., None] * one + (1 - share[..., None]) * other


def _patches(count, images, rng):
    whole = np.asarray(images)[np.arange(count) % len(images)]
    height, width = (side // PATCHES for side in whole.shape[1:3])
    if not height or not width:
        raise ValueError(
            f"Shuffled patches take images of at least {PATCHES}x{PATCHES}. "
            f"Received: images of {whole.shape[1]}x{whole.shape[2]}"
        )
    # Rows and columns that do not divide stay where they are.
    part = whole[:, : height * PATCHES, : width * PATCHES]
    tiles = part.reshape(count, PATCHES, height, PATCHES, width, 3)
    tiles = tiles.swapaxes(2, 3).reshape(count, PATCHES**2, height, width, 3)
    order = rng.permuted(np.tile(np.arange(PATCHES**2), (count, 1)), axis=1)
    tiles = np.take_along_axis(tiles, order[:, :, None, None, None], axis=1)
    tiles = tiles.reshape(count, PATCHES, PATCHES, height, width, 3)
    made = whole.astype("float32")
    made[:, : height * PATCHES, : width * PATCHES] = tiles.swapaxes(
        2, 3
    ).reshape(part.shape)
    return made


MAKERS: dict[str, Callable] = {
    "noise": _noise,
    "colours": _colours,
    "textures": _textures,
    "shapes": _shapes,
}
