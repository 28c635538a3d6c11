"""JPEG and PNG bytes as pixels, within the limits of a server."""

import io
import os
import threading

import numpy as np

from keras_csg.data.image_reading import ImageReading
from keras_csg.serving.errors import TOO_LARGE, RequestError, plain

# Nothing else is handed to Pillow, which has readers for formats that are
# programs, and that start others.
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# A photograph takes its pixels thrice in memory for as long as it is decoded.
_decoding = threading.Semaphore(max(2, os.cpu_count() or 1))


def is_picture(data: bytes | bytearray | memoryview) -> bool:
    """Tells whether bytes begin as a JPEG or a PNG file does.

    Args:
        data: bytes.
    """
    return bytes(data[:8]).startswith(BEGINNINGS)


def decode_picture(
    data: bytes, reading: ImageReading, size: tuple[int, int], what: str
) -> np.ndarray:
    """Returns the bytes of an image file as RGB of a size.

    Args:
        data: bytes of a JPEG or a PNG file.
        reading: `ImageReading`, with the limit on pixels.
        size: tuple `(height, width)`.
        what: str. What it is called in a message.

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        RequestError: if it is something else, damaged or too large.
    """
    if not is_picture(data):
        raise RequestError(f"{what} is neither a JPEG nor a PNG file.")
    stream = io.BytesIO(data)
    try:
        with _decoding:
            return reading.decode(stream, size)
    except Exception as error:  # Pillow raises all sorts on damaged files.
        if "`max_pixels`" in str(error):
            raise RequestError(
                f"{what} has more than {reading.max_pixels:,} pixels.",
                TOO_LARGE,
            ) from error
        reason = plain(str(error).replace(str(stream), "it"))
        raise RequestError(f"{what} cannot be decoded: {reason}.") from error
