import keras
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MOST_FILTERS = 5
BATCH_SIZE = 64


def read_image(path, size):
    """Reads an image file as the network sees it.

    Args:
        path: path of the file.
        size: `(height, width)` to resize and crop to, or `(None, None)` to
            keep the image's own.

    Returns:
        uint8 array `(height, width, 3)`, RGB in 0..255.

    Raises:
        ValueError: if the file is not an image that can be read.
    """
    try:
        with Image.open(path) as image:
            image = ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError:
        raise ValueError(f"There is no file {path}.") from None
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise ValueError(f"Cannot read the image {path}: {error}") from error
    if None not in size:
        height, width = size
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)
