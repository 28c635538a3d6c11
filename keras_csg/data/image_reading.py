"""How an image file becomes the pixels that a network sees."""

import dataclasses
import io
import os
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageOps

from keras_csg.choices import MOST_PIXELS, RESIZES
from keras_csg.data.image_colors import as_rgb, color_of, white_of
from keras_csg.data.image_files import (
    ORIENTATION,
    check_pixels,
    in_turn,
    open_image,
)
from keras_csg.data.image_fitting import (
    FreeSize,
    fitted,
    scale_and_offset,
    size_for,
)
from keras_csg.files import why_unread

ImageLike = (
    str | os.PathLike | BinaryIO | bytes | bytearray | memoryview | Image.Image
)
MOST_WHITE = 2**63 - 1
BILINEAR = Image.Resampling.BILINEAR


@dataclasses.dataclass(frozen=True)
class ImageReading:
    """How an image file becomes pixels, in training and ever after.

    A network that was trained so keeps it, and so does what is exported of it.

    Args:
        resize: `"crop"` keeps the aspect and cuts off what is too much, about
            the centre; `"pad"` keeps it and adds `background`; `"squash"`
            gives it up.
        background: what lies under transparent pixels and beside padded
            images: a colour as CSS has it, `"white"`, `"#808080"`.
        white_level: int in `[1, 2**63 - 1]`. What is white in images of more
            than eight bits that do not say so; `None` for 65,535, and of
            floats for 1, 255 or more, as the image needs.
        max_pixels: int, at least 1. Larger files are not decoded.

    Raises:
        ValueError: if one is not as described.
    """

    resize: str = "crop"
    background: str = "white"
    white_level: int | None = None
    max_pixels: int = MOST_PIXELS

    def __post_init__(self):
        if self.resize not in RESIZES:
            raise ValueError(
                f"`resize` must be one of {', '.join(RESIZES)}. "
                f"Received: resize={self.resize!r}"
            )
        color_of(self.background)
        for name, most in (("white_level", MOST_WHITE), ("max_pixels", None)):
            value = getattr(self, name)
            if value is None and most:
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(_about_number(name, most, value))
            if value < 1 or (most and value > most):
                raise ValueError(_about_number(name, most, value))

    def decode(self, image: ImageLike, size: FreeSize) -> np.ndarray:
        """Returns an image as RGB of a size.

        Args:
            image: path of a file, a stream of its bytes, these bytes, or a
                `PIL.Image.Image`.
            size: tuple `(height, width)`; `None` stands for what is the
                image's own: see `size_for`.

        Returns:
            uint8 array of shape `(height, width, 3)`.

        Raises:
            ValueError: if it has too many pixels.
            OSError: if it cannot be read, and what else Pillow raises.
        """
        if isinstance(image, Image.Image):
            return self._fitted(self.whole(image), size)
        with open_image(_source(image), self.max_pixels) as file:
            with in_turn(file):
                return self._fitted(self._upright(file), size)

    def whole(self, image: ImageLike) -> Image.Image:
        """Returns an image as RGB, at its own size and the right way up.

        Args:
            image: see `decode`.

        Raises:
            ValueError: if it has too many pixels.
            OSError: if it cannot be read, and what else Pillow raises.
        """
        if isinstance(image, Image.Image):
            check_pixels(image, self.max_pixels)
            upright = self._upright(image)
            return image.copy() if upright is image else upright
        with open_image(_source(image), self.max_pixels) as file:
            return self._upright(file)

    def fit(
        self,
        image: Image.Image,
        size: tuple[int, int],
        method: Image.Resampling = BILINEAR,
    ) -> Image.Image:
        """Returns an image, or a mask, at a size.

        Args:
            image: `PIL.Image.Image`; of a mode other than RGB it is padded
                with zeros.
            size: tuple `(height, width)`.
            method: how to interpolate.
        """
        color: Any = color_of(self.background) if image.mode == "RGB" else 0
        return fitted(image, size, self.resize, color, method)

    def fit_boxes(
        self, boxes: ArrayLike, sizes: ArrayLike, size: tuple[int, int]
    ) -> np.ndarray:
        """Moves boxes as `fit` moves the images that they are of.

        Args:
            boxes: float array of shape `(n, 4)`: `x0, y0, x1, y1` in pixels
                of the original.
            sizes: ints of shape `(n, 2)`: heights and widths of the originals.
            size: tuple `(height, width)`.

        Returns:
            float array of shape `(n, 4)`, in pixels of that size; clipped to
            it, so a box in the part that is cropped off has no area.
        """
        boxes = np.asarray(boxes, "float64")
        scale, offset = scale_and_offset(sizes, size, self.resize)
        corners = boxes.reshape(-1, 2, 2) * scale[:, None, ::-1]
        corners = corners + offset[:, None, ::-1]
        return np.clip(corners, 0, size[::-1]).reshape(-1, 4)

    def field_of_view(
        self, original: tuple[int, int], size: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """Returns where the image that `fit` makes lies in the original.

        Args:
            original: tuple `(height, width)` of the original.
            size: tuple `(height, width)` of the image.

        Returns:
            floats `(x0, y0, x1, y1)`, in pixels of the original. They lie
            within it where it is cropped, and beyond it where it is padded.
        """
        scale, offset = scale_and_offset([original], size, self.resize)
        y0, x0 = (-offset / scale)[0].tolist()
        y1, x1 = ((np.array(size) - offset) / scale)[0].tolist()
        return x0, y0, x1, y1

    def is_whole(self, path: str | os.PathLike) -> bool:
        """Whether a file can be decoded to its end."""
        try:
            self._try(path)
        except Exception:  # Pillow raises many kinds.
            return False
        return True

    def why_broken(self, path: str | os.PathLike) -> str:
        """Returns why a file cannot be decoded, in a few words; or nothing."""
        try:
            if not os.path.getsize(path):
                return "empty"
            self._try(path)
        except FileNotFoundError:
            return "it is gone"
        except Exception as error:  # Pillow raises many kinds.
            text = why_unread(error).replace(f" {str(path)!r}", "")
            return text or type(error).__name__
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Returns what a network keeps: all but the limit of this machine."""
        values = dataclasses.asdict(self)
        del values["max_pixels"]
        return values

    def _fitted(self, whole, size):
        return np.asarray(self.fit(whole, size_for(whole.size[::-1], size)))

    def _upright(self, file):
        """Returns an image as RGB; itself where it is that already.

        A copy would take as much memory again.
        """
        white = white_of(file, self.white_level)
        file.load()
        if file.getexif().get(ORIENTATION, 1) != 1:
            file = ImageOps.exif_transpose(file)
        return as_rgb(file, white, self.background)

    def _try(self, path):
        """Decodes a file to its end, at the size that takes least time."""
        with open_image(path, self.max_pixels) as file:
            file.draft(None, (16, 16))
            with in_turn(file):
                self._upright(file)


def _source(image):
    """Returns what Pillow opens: bytes as a stream."""
    if isinstance(image, bytes | bytearray | memoryview):
        return io.BytesIO(image)
    return image


def _about_number(name, most, value):
    upper = f" and at most {most}" if most else ""
    return (
        f"`{name}` must be an integer of at least 1{upper}. "
        f"Received: {name}={value!r}"
    )


PLAIN = ImageReading()
"""What is done where nobody says otherwise."""
