"""Pictures of a split and where the evidence in them lies."""

from collections.abc import Iterable, Iterator
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


class PictureTaker:
    """Keeps some images of a stream of batches that others read.

    What is kept is shrunk at once.

    Args:
        model: `CSGClassifier`.
        wanted: dict from an image's number in the stream to the classes whose
            evidence is asked for.

    Attributes:
        pictures: dict from an image's number to its `Picture`.
    """

    def __init__(self, model: CSGClassifier, wanted: dict[int, list[int]]):
        self.model = model
        self.wanted = wanted
        self.pictures: dict[int, Picture] = {}

    def passing(
        self, batches: Iterable[tuple[Any, Any]]
    ) -> Iterator[tuple[Any, Any]]:
        """Yields the batches as they are, and keeps what is wanted."""
        start = 0
        for images, labels in batches:
            stop = start + len(labels)
            here = [n for n in range(start, stop) if n in self.wanted]
            if here:
                rows = np.asarray(images)[np.array(here) - start]
                self._take(here, rows)
            yield images, labels
            start = stop

    def _take(self, numbers, images):
        """Computes the maps of all classes of these images together."""
        asked = [
            (row, label)
            for row, number in enumerate(numbers)
            for label in self.wanted[number]
        ]
        maps = None
        if asked:
            rows, labels = np.array(asked).T
            maps = class_activation_map(
                self.model, images[rows], labels, gated=self.model.gated
            )
        painted: dict[int, dict[int, np.ndarray]] = {}
        for place, (row, label) in enumerate(asked):
            mixed = paint(images[row], maps[place])
            painted.setdefault(row, {})[label] = shrunk(mixed, SIDE)
        for row, number in enumerate(numbers):
            self.pictures[number] = Picture(
                shrunk(images[row], SIDE), painted.get(row, {})
            )


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
