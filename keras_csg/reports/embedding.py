"""Images within a page, as data URIs."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def jpeg_uri(array: np.ndarray, quality: int = 85) -> str:
    """Returns an image as the data URI of a JPEG file.

    Args:
        array: uint8 array of shape `(height, width, 3)`.
        quality: int in 1..95.
    """
    return _uri(array, "jpeg", quality=quality)


def png_uri(array: np.ndarray) -> str:
    """Returns an image as the data URI of a PNG file.

    Args:
        array: uint8 array of shape `(height, width)`, `(height, width, 3)` or,
            with opacity, `(height, width, 4)`.
    """
    return _uri(array, "png", optimize=True)


def _uri(array: np.ndarray, kind: str, **options: Any) -> str:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, kind, **options)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return f"data:image/{kind};base64,{data}"
