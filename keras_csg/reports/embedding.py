"""Images as text within a page."""

import base64
import io

import numpy as np
from PIL import Image


def jpeg_uri(array: np.ndarray, quality: int = 85) -> str:
    """Returns an image as a `data:` address, in JPEG.

    Args:
        array: uint8 array of shape `(height, width, 3)`.
        quality: int, 1 to 95.
    """
    return _uri(array, "jpeg", quality=quality, optimize=True)


def png_uri(array: np.ndarray) -> str:
    """Returns an image as a `data:` address, in PNG.

    Args:
        array: uint8 array of shape `(height, width)` or `(height, width, 3)`.
    """
    return _uri(array, "png", optimize=True)


def _uri(array, kind, **settings):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **settings)
    text = base64.b64encode(stream.getvalue()).decode("ascii")
    return f"data:image/{kind};base64,{text}"
