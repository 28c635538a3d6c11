"""Pictures of a split and where the evidence in them lies."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from plotly.colors import sample_colorscale

from keras_csg.explain.class_activation import class_activation_map
from keras_csg.models.classifier import CSGClassifier

SIDE = 160
"""Longest side of a picture that is kept."""
STRONGEST = 0.7
"""How much of the colour there is where the evidence is largest."""


class Picture(NamedTuple):
    """An image, and the evidence for some classes in it.

    Attributes:
        image: uint8 array of shape `(height, width, 3)`.
        maps: dict from a class to a uint8 array of that shape: the image with
            the evidence for the class painted over it.
    """

    image: np.ndarray
    maps: dict[int, np.ndarray]


def take_pictures(
    model: CSGClassifier,
    batches: Iterable[tuple[Any, Any]],
    wanted: dict[int, list[int]],
) -> dict[int, Picture]:
    """Reads some images of a split; the network sees those alone.

    What is kept is shrunk at once.

    Args:
        model: `CSGClassifier`.
        batches: iterable of image batches and their labels.
        wanted: dict from an image's number in the split to the classes whose
            evidence is asked for.

    Returns:
        dict from an image's number to its `Picture`.
    """
    pictures: dict[int, Picture] = {}
    start = 0
    for images, labels in batches:
        stop = start + len(labels)
        here = [n for n in range(start, stop) if n in wanted]
        if here:
            rows = np.asarray(images)[np.array(here) - start]
            pictures |= _take(model, here, rows, wanted)
        if len(pictures) == len(wanted):
            break
        start = stop
    return pictures


def _take(model, numbers, images, wanted):
    """Computes the maps of all classes of these images together."""
    asked = [
        (row, label)
        for row, number in enumerate(numbers)
        for label in wanted[number]
    ]
    rows, labels = np.array(asked).T
    maps = class_activation_map(model, images[rows], labels, gated=model.gated)
    painted: list[dict[int, np.ndarray]] = [{} for _ in numbers]
    for (row, label), evidence in zip(asked, maps, strict=True):
        mixed = paint(images[row], evidence)
        painted[row][label] = shrunk(mixed, SIDE)
    return {
        number: Picture(shrunk(images[row], SIDE), painted[row])
        for row, number in enumerate(numbers)
    }


def paint(image: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """Paints a map over an image: more colour, more evidence.

    What speaks against the class is left as it is.

    Args:
        image: array of shape `(height, width, 3)`, in 0..255.
        evidence: float array of shape `(height, width)`.

    Returns:
        uint8 array of the image's shape.
    """
    for_it = np.maximum(evidence, 0)
    share = for_it / max(float(for_it.max()), 1e-12)
    grey = np.asarray(image, "float32").mean(axis=-1, keepdims=True)
    quiet = 0.6 * np.asarray(image, "float32") + 0.4 * grey
    colour = COLOURS[np.rint(255 * share).astype(int)]
    weight = STRONGEST * share[..., None]
    mixed = (1 - weight) * quiet + weight * colour
    return np.clip(np.rint(mixed), 0, 255).astype("uint8")


def shrunk(image: np.ndarray, side: int) -> np.ndarray:
    """Returns an image whose longest side is at most `side`."""
    image = np.clip(np.asarray(image), 0, 255).astype("uint8")
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(resized)


def _colours():
    """Returns 256 colours, from blue over yellow to red."""
    scale = ["rgb(48,18,160)", "rgb(30,150,220)", "rgb(250,220,60)"]
    scale += ["rgb(240,120,30)", "rgb(200,20,30)"]
    points = sample_colorscale(scale, np.linspace(0, 1, 256), colortype="tuple")
    return 255 * np.array(points, "float32")


COLOURS = _colours()
