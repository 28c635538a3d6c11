"""Pictures at their own size, and which part of them a network saw."""

import dataclasses
import math
import os
from collections.abc import Callable

import numpy as np
from PIL import Image

from keras_csg.data.image_fitting import FreeSize, size_for
from keras_csg.data.image_reading import ImageReading
from keras_csg.files import why_unread

BICUBIC = Image.Resampling.BICUBIC
SMALLEST_SIDE = 256
"""The shorter side of a picture to look at: smaller ones are enlarged."""
MOST_ASPECT = 4
"""Of a picture that is drawn small: the longer side by the shorter."""


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """An image as people see it, and where in it the network's image lies.

    Attributes:
        name: str. Name of the file, or of the image.
        size: tuple `(height, width)`.
        box: floats `(x0, y0, x1, y1)`: the network's image, in pixels of the
            picture. Smaller than the picture where that was cropped, larger
            where it was padded.
        read: callable that returns its pixels. Of a file they are read when
            they are looked at, so that many files take little memory.
    """

    name: str
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    read: Callable[[], np.ndarray]

    @property
    def pixels(self) -> np.ndarray:
        """uint8 array of shape `(height, width, 3)`, RGB."""
        return self.read()

    def spread(self, maps: np.ndarray) -> np.ndarray:
        """Lays maps of the network's image over the picture.

        Args:
            maps: float array of shape `(..., h, w)`.

        Returns:
            float32 array of shape `(..., height, width)`, bilinear, pixel
            centres to pixel centres; NaN where the network saw nothing.
        """
        maps = np.asarray(maps, "float32")
        height, width = self.size
        x0, y0, x1, y1 = self.box
        rows, seen_rows = _weights(maps.shape[-2], y0, y1, height)
        columns, seen_columns = _weights(maps.shape[-1], x0, x1, width)
        spread = np.matmul(rows, np.matmul(maps, columns.T))
        seen = seen_rows[:, None] & seen_columns
        return np.where(seen, spread, np.float32("nan"))

    def enlarged(self) -> "Picture":
        """Returns it at a size to look at, a whole number of times its own."""
        height, width = self.size
        times = -(-SMALLEST_SIDE // min(height, width))
        return self._resized(height * times, width * times)

    def no_strip(self) -> tuple["Picture", str]:
        """Returns it no longer than four times its width, and what was done.

        A longer one would be a hairline. It is cut about what the network
        saw, and where that is as long, stretched.
        """
        picture, done = self._cut(), []
        if picture is not self:
            done.append("cut to the surroundings of what the network saw")
        height, width = picture.size
        least = -(-max(height, width) // MOST_ASPECT)
        if min(height, width) < least:
            picture = picture._resized(max(height, least), max(width, least))
            done.append("stretched")
        return picture, " and ".join(done)

    def _cut(self):
        """Returns the part about what the network saw, if it is shorter."""
        most = MOST_ASPECT * min(self.size)
        x0, y0, x1, y1 = self.box
        rows = _span(y0, y1, self.size[0], most)
        columns = _span(x0, x1, self.size[1], most)
        size = rows[1] - rows[0], columns[1] - columns[0]
        if size == self.size:
            return self
        pixels = self.pixels[slice(*rows), slice(*columns)]
        x, y = columns[0], rows[0]
        box = x0 - x, y0 - y, x1 - x, y1 - y
        return Picture(self.name, size, box, lambda: pixels)

    def within(self, side: int) -> "Picture":
        """Returns it with no side longer than `side`, in pixels."""
        height, width = self.size
        scale = min(1, side / max(height, width))
        return self._resized(
            max(1, round(height * scale)), max(1, round(width * scale))
        )

    def _resized(self, height, width):
        if (height, width) == self.size:
            return self
        image = Image.fromarray(self.pixels)
        pixels = np.asarray(image.resize((width, height), BICUBIC))
        y, x = height / self.size[0], width / self.size[1]
        x0, y0, x1, y1 = self.box
        box = x0 * x, y0 * y, x1 * x, y1 * y
        return Picture(self.name, (height, width), box, lambda: pixels)


def picture_of_file(
    path: str | os.PathLike, reading: ImageReading, size: FreeSize
) -> tuple[Picture, np.ndarray]:
    """Reads an image file twice: as people and as a network see it.

    Args:
        path: path of the file.
        reading: `ImageReading`: how it becomes the network's image.
        size: tuple `(height, width)` of that; see `ImageReading.decode`.

    Returns:
        A tuple of the `Picture` and the uint8 array `(height, width, 3)`.

    Raises:
        ValueError: if the file cannot be read as an image.
    """
    try:
        whole = reading.whole(path)
    except FileNotFoundError:
        raise ValueError(f"There is no image file {path}.") from None
    except Exception as error:  # Pillow raises all sorts on damaged files.
        reason = why_unread(error)
        raise ValueError(f"Cannot read the image {path}: {reason}") from error
    return _both(
        os.fspath(path),
        whole,
        reading,
        size,
        lambda: np.asarray(reading.whole(path)),
    )


def picture_of_image(
    image: Image.Image,
    reading: ImageReading,
    size: FreeSize,
    name: str,
) -> tuple[Picture, np.ndarray]:
    """Returns an image that is open as people and as a network see it.

    Args:
        image: `PIL.Image.Image`.
        reading: `ImageReading`.
        size: see `picture_of_file`.
        name: str.
    """
    whole = reading.whole(image)
    return _both(name, whole, reading, size, lambda: np.asarray(whole))


def _both(name, whole, reading, size, read):
    """Returns the `Picture` of a whole image, and what a network sees of it."""
    original = whole.size[::-1]
    size = size_for(original, size)
    box = reading.field_of_view(original, size)
    seen = np.asarray(reading.fit(whole, size))
    return Picture(name, original, box, read), seen


def picture_of_array(image: np.ndarray, name: str) -> Picture:
    """Returns the `Picture` of a network's image itself.

    Args:
        image: array of shape `(height, width, 3)`, RGB in 0..255.
        name: str.
    """
    height, width = image.shape[:2]
    pixels = np.clip(np.rint(image), 0, 255).astype("uint8")
    box = 0.0, 0.0, float(width), float(height)
    return Picture(name, (height, width), box, lambda: pixels)


def _span(start, end, length, most):
    """Returns where a side is cut: what was seen, or `most` about it."""
    start, end = max(0, math.floor(start)), min(length, math.ceil(end))
    spare = max(0, most - (end - start))
    start = min(max(0, start - spare // 2), max(0, length - most))
    return start, min(length, max(end, start + most))


def _weights(inputs, start, end, outputs):
    """Returns what each pixel takes of a map that lies from start to end.

    And which pixels lie there.
    """
    places = (np.arange(outputs) + 0.5 - start) / (end - start)
    positions = np.clip(places * inputs - 0.5, 0, inputs - 1)
    distances = np.abs(positions[:, None] - np.arange(inputs))
    weights = np.maximum(1 - distances, 0).astype("float32")
    return weights, (places >= 0) & (places <= 1)
