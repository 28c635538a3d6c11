"""Pictures that this package drew, beside which images may lie."""

import os

from keras_csg.choices import DRAWN_BY
from keras_csg.data.image_files import open_image

SUFFIXES = (".explained.png", ".heatmap.png")


def is_drawn(path: str | os.PathLike) -> bool:
    """Whether a file is a picture that `explain` or `predict` drew.

    By its name, and by what it says of itself: a person's file may have such a
    name.
    """
    if not os.fspath(path).endswith(SUFFIXES):
        return False
    try:
        with open_image(path) as image:
            return image.info.get("Software") == DRAWN_BY
    except Exception:  # Pillow raises all sorts on damaged files.
        return False
