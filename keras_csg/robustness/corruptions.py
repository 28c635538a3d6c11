"""Harmless changes to images, as cameras, files and weather make them.

The kinds, their five levels and the values of CIFAR-10-C (Hendrycks &
Dietterich, 2019, https://arxiv.org/abs/1903.12261), made here. Values are
shares of the range of a pixel where nothing else is said:

| kind | 1 | 2 | 3 | 4 | 5 | |
| --- | --- | --- | --- | --- | --- | --- |
| `gaussian_noise` | .04 | .06 | .08 | .09 | .10 | standard deviation |
| `shot_noise` | 500 | 250 | 100 | 75 | 50 | photons of a white pixel |
| `impulse_noise` | .01 | .02 | .03 | .05 | .07 | share black or white |
| `gaussian_blur` | .4 | .6 | .7 | .8 | 1 | sigma, of 32 pixels |
| `defocus_blur` | .3, .4 | .4, .5 | .5, .6 | 1, .2 | 1.5, .1 | radius, sigma |
| `brightness` | .05 | .1 | .15 | .2 | .3 | added to the value of HSV |
| `contrast` | .75 | .5 | .4 | .3 | .15 | distance from the mean left |
| `fog` | .2 | .5 | .75 | 1 | 1.5 | density |
| `jpeg` | 80 | 65 | 58 | 50 | 40 | quality |
| `pixelate` | .95 | .9 | .85 | .75 | .65 | pixels left, of a side |

Three things are otherwise. Sigmas and radii grow with the shorter side of the
image, as they are those of 32 pixels. The fog is noise whose amplitude falls
with the frequency, not a diamond-square fractal. Values are rounded, not cut.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_csg.choices import CORRUPTIONS

LEVELS = (1, 2, 3, 4, 5)
SIDE = 32
"""Pixels of the images that sigmas and radii are meant for."""
FALL = 1.7
"""By which power of the frequency the fog's amplitude falls."""


def corrupt(
    images: np.ndarray,
    kind: str,
    level: int,
    *,
    seed: int = 0,
    numbers: np.ndarray | None = None,
) -> np.ndarray:
    """Spoils images as it happens without anybody's meaning it.

    Args:
        images: uint8 array of shape `(samples, height, width, 3)`, RGB.
        kind: str, of `keras_csg.choices.CORRUPTIONS`; see the module.
        level: int from 1, hardly seen, to 5.
        seed: int. Seed of what is random.
        numbers: ints of shape `(samples,)`: those of the images, so that one
            gets the same noise whatever others it is spoiled with; `None` for
            0, 1, ...

    Returns:
        uint8 array of the same shape.

    Raises:
        ValueError: if an argument is not as described.

    Reference:
        - [Hendrycks & Dietterich, 2019](https://arxiv.org/abs/1903.12261)
    """
    images = np.asarray(images)
    _check(images, kind, level)
    numbers = np.arange(len(images)) if numbers is None else numbers
    if not len(images):
        return images.copy()
    change, values = _KINDS[kind]
    value = values[level - 1]
    draws = [
        np.random.default_rng(
            [seed, int(number), CORRUPTIONS.index(kind), int(level)]
        )
        for number in numbers
    ]
    changed = change(images, value, draws)
    if changed.dtype == np.uint8:
        return changed
    return np.rint(np.clip(changed, 0, 1) * 255).astype("uint8")


def _check(images, kind, level):
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(
            "`images` must be uint8, of shape (samples, height, width, 3), RGB "
            f"in 0..255. Received: {images.dtype} of shape {images.shape}"
        )
    if kind not in CORRUPTIONS:
        raise ValueError(
            f"`kind` must be one of {', '.join(CORRUPTIONS)}. "
            f"Received: kind={kind!r}"
        )
    if isinstance(level, bool) or level not in LEVELS:
        raise ValueError(
            f"`level` must be a whole number from 1 to 5. "
            f"Received: level={level!r}"
        )


def _shares(images):
    return images.astype("float32") / 255


def _gaussian_noise(images, deviation, draws):
    noise = [rng.standard_normal(images.shape[1:], "float32") for rng in draws]
    return _shares(images) + deviation * np.stack(noise)


def _shot_noise(images, photons, draws):
    pairs = zip(draws, _shares(images), strict=True)
    counts = [rng.poisson(image * photons) for rng, image in pairs]
    return np.stack(counts).astype("float32") / photons


def _impulse_noise(images, share, draws):
    """Makes values black or white, each channel by itself."""
    drawn = np.stack([rng.random(images.shape[1:]) for rng in draws])
    white = np.where(drawn < share / 2, np.float32(1), _shares(images))
    return np.where(drawn > 1 - share / 2, np.float32(0), white)


def _gaussian_blur(images, sigma, _):
    sigma = sigma * _scale(images)
    return ndimage.gaussian_filter(
        _shares(images), (0, sigma, sigma, 0), mode="nearest"
    )


def _defocus_blur(images, radius_and_sigma, _):
    """Spreads each point over a disk whose edge is soft."""
    radius, sigma = (x * _scale(images) for x in radius_and_sigma)
    reach = int(np.ceil(radius + 3 * sigma))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = (rows**2 + columns**2 <= radius**2).astype("float32")
    disk = ndimage.gaussian_filter(disk, sigma, mode="constant")
    weights = (disk / disk.sum())[None, :, :, None]
    return ndimage.convolve(_shares(images), weights, mode="mirror")


def _brightness(images, added, _):
    """Adds to the largest channel; the others keep their share of it."""
    shares = _shares(images)
    value = shares.max(axis=-1, keepdims=True)
    lighter = np.minimum(value + added, 1)
    ratio = lighter / np.where(value > 0, value, 1)
    return np.where(value > 0, shares * ratio, lighter)


def _contrast(images, left, _):
    shares = _shares(images)
    mean = shares.mean(axis=(1, 2), keepdims=True)
    return mean + left * (shares - mean)


def _fog(images, density, draws):
    shares = _shares(images)
    fogs = np.stack([_clouds(images.shape[1:3], rng) for rng in draws])
    brightest = shares.max(axis=(1, 2, 3), keepdims=True)
    foggy = shares + density * fogs[..., None]
    return foggy * brightest / (brightest + density)


def _clouds(shape, rng):
    """Returns smooth noise `(height, width)` from 0 to 1."""
    rows = np.fft.fftfreq(shape[0])[:, None]
    columns = np.fft.rfftfreq(shape[1])[None]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1  # The mean: it is taken away below.
    waves = np.fft.rfft2(rng.standard_normal(shape)) / frequency**FALL
    clouds = np.fft.irfft2(waves, shape).astype("float32")
    clouds -= clouds.min()
    return clouds / max(clouds.max(), np.finfo("float32").tiny)


def _jpeg(images, quality, _):
    return np.stack([_as_jpeg(image, quality) for image in images])


def _as_jpeg(image, quality):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    with Image.open(stream, formats=["JPEG"]) as read:
        return np.asarray(read)


def _pixelate(images, left, _):
    height, width = images.shape[1:3]
    small = (max(int(width * left), 1), max(int(height * left), 1))
    box = Image.Resampling.BOX
    return np.stack(
        [
            Image.fromarray(image)
            .resize(small, box)
            .resize((width, height), box)
            for image in images
        ]
    )


def _scale(images):
    return min(images.shape[1:3]) / SIDE


_KINDS: dict[str, tuple[Callable, tuple[Any, ...]]] = {
    "gaussian_noise": (_gaussian_noise, (0.04, 0.06, 0.08, 0.09, 0.10)),
    "shot_noise": (_shot_noise, (500, 250, 100, 75, 50)),
    "impulse_noise": (_impulse_noise, (0.01, 0.02, 0.03, 0.05, 0.07)),
    "gaussian_blur": (_gaussian_blur, (0.4, 0.6, 0.7, 0.8, 1.0)),
    "defocus_blur": (
        _defocus_blur,
        ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1)),
    ),
    "brightness": (_brightness, (0.05, 0.1, 0.15, 0.2, 0.3)),
    "contrast": (_contrast, (0.75, 0.5, 0.4, 0.3, 0.15)),
    "fog": (_fog, (0.2, 0.5, 0.75, 1.0, 1.5)),
    "jpeg": (_jpeg, (80, 65, 58, 50, 40)),
    "pixelate": (_pixelate, (0.95, 0.9, 0.85, 0.75, 0.65)),
}
