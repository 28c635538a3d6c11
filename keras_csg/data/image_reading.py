"""How an image file becomes the pixels that a network sees."""

import dataclasses
import os
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageColor, ImageOps

from keras_csg.choices import MOST_PIXELS, RESIZES
from keras_csg.data.image_files import open_image
from keras_csg.data.sample_range import (
    is_deep,
    largest_value,
    level_above,
    sample_range,
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
        _color(self.background)
        for name, most in (("white_level", MOST_WHITE), ("max_pixels", None)):
            value = getattr(self, name)
            if value is None and most:
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(_about_number(name, most, value))
            if value < 1 or (most and value > most):
                raise ValueError(_about_number(name, most, value))

    def decode(
        self, path: str | os.PathLike | BinaryIO, size: tuple[int, int]
    ) -> np.ndarray:
        """Returns an image as RGB of a size.

        Args:
            path: a file, or a stream of its bytes.
            size: tuple `(height, width)`.

        Returns:
            uint8 array of shape `(height, width, 3)`.

        Raises:
            ValueError: if it has too many pixels.
            OSError: if it cannot be read, and what else Pillow raises.
        """
        # A JPEG need not be unpacked at many times the size it will have.
        image = self.whole(path, draft=2 * max(size))
        return np.asarray(self.fit(image, size))

    def whole(
        self, path: str | os.PathLike | BinaryIO, draft: int | None = None
    ) -> Image.Image:
        """Returns an image as RGB, at its own size and the right way up.

        Args:
            path: a file, or a stream of its bytes.
            draft: int. Size that will do, in pixels a side; `None` for its
                own.

        Raises:
            ValueError: if it has too many pixels.
            OSError: if it cannot be read, and what else Pillow raises.
        """
        with open_image(path, self.max_pixels) as file:
            if draft is not None:
                file.draft(None, (draft, draft))
            white = self._white(file)  # Unpacked, it can no longer say.
            return self._as_rgb(ImageOps.exif_transpose(file), white)

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
        wanted = size[::-1]
        if image.size == wanted:
            return image
        if self.resize == "crop":
            return ImageOps.fit(image, wanted, method)
        if self.resize == "squash":
            return image.resize(wanted, method)
        color: Any = _color(self.background) if image.mode == "RGB" else 0
        return ImageOps.pad(image, wanted, method, color)

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
        scale, offset = self._scale_and_offset(sizes, size)
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
        scale, offset = self._scale_and_offset([original], size)
        y0, x0 = (-offset / scale)[0].tolist()
        y1, x1 = ((np.array(size) - offset) / scale)[0].tolist()
        return x0, y0, x1, y1

    def _scale_and_offset(self, sizes, size):
        """Returns by how much rows and columns are scaled and then moved."""
        sizes = np.asarray(sizes, "float64")
        scale = np.array(size) / sizes
        if self.resize == "crop":
            scale = scale.max(axis=1, keepdims=True)
        elif self.resize == "pad":
            scale = scale.min(axis=1, keepdims=True)
        offset = (np.array(size) - sizes * scale) / 2
        return np.broadcast_to(scale, sizes.shape), offset

    def is_whole(self, path: str | os.PathLike) -> bool:
        """Whether a file can be decoded to its end."""
        try:
            self.decode(path, (16, 16))
        except Exception:  # Pillow raises many kinds.
            return False
        return True

    def why_broken(self, path: str | os.PathLike) -> str:
        """Returns why a file cannot be decoded, in a few words; or nothing."""
        try:
            if not os.path.getsize(path):
                return "empty"
            self.decode(path, (16, 16))
        except FileNotFoundError:
            return "it is gone"
        except Exception as error:  # Pillow raises many kinds.
            text = str(error).replace(f" {str(path)!r}", "")
            return " ".join(text.split()) or type(error).__name__
        return ""

    def to_dict(self) -> dict[str, Any]:
        """Returns what a network keeps: all but the limit of this machine."""
        values = dataclasses.asdict(self)
        del values["max_pixels"]
        return values

    def _white(self, file):
        if not is_deep(file):
            return None
        white = sample_range(file) or self.white_level
        if white is None and file.mode.startswith("F"):
            white = level_above(largest_value(file))
        return white or 65535

    def _as_rgb(self, image, white):
        if white is not None:  # 16 bits a pixel, where RGB has 8.
            levels = np.asarray(image, "float32") * np.float32(255 / white)
            levels = np.clip(np.nan_to_num(np.rint(levels)), 0, 255)
            image = Image.fromarray(levels.astype("uint8"))
        if not image.has_transparency_data:
            return image.convert("RGB")
        # What lies under a transparent pixel nobody sees: often it is black.
        shown = image.convert("RGBA")
        ground = Image.new("RGBA", shown.size, (*_color(self.background), 255))
        return Image.alpha_composite(ground, shown).convert("RGB")


def _color(background):
    try:
        red, green, blue, *_ = ImageColor.getrgb(background)
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            "`background` must be a colour such as white, black or #808080. "
            f"Received: background={background!r}"
        ) from None
    return red, green, blue


def _about_number(name, most, value):
    upper = f" and at most {most}" if most else ""
    return (
        f"`{name}` must be an integer of at least 1{upper}. "
        f"Received: {name}={value!r}"
    )


PLAIN = ImageReading()
"""What is done where nobody says otherwise."""
