"""Draws images with their heatmaps into a folder."""

import importlib.util
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_csg.deployment.metadata import Metadata
from keras_csg.files import check_folder, free_path

# The shorter side of a picture, in pixels: small images are enlarged to it.
PICTURE_SIDE = 256


class HeatmapPictures:
    """Draws images with their heatmaps into a folder.

    Args:
        folder: path, which is made with the first picture.
        images: paths of the images, which no picture overwrites.
        metadata: the model's `Metadata`.

    Raises:
        ValueError: if nothing can be written there, or matplotlib is missing.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        images: Sequence[str | os.PathLike],
        metadata: Metadata,
    ):
        if importlib.util.find_spec("matplotlib") is None:
            raise ValueError(
                "Heatmaps are drawn with matplotlib, which is not installed: "
                "pip install matplotlib"
            )
        self._folder = pathlib.Path(folder)
        check_folder(self._folder)
        self._reading = metadata.reading
        self._taken = {pathlib.Path(image).resolve() for image in images}

    def draw(
        self,
        prediction: dict[str, Any],
        heatmap: np.ndarray,
        seen: tuple[int, int],
    ) -> None:
        """Draws one image and writes down in the prediction where.

        Args:
            prediction: dict with `image`, its path.
            heatmap: float array `(h, w)`.
            seen: tuple `(height, width)` of the image that the network saw.

        Raises:
            OSError: if it cannot be written.
        """
        from keras_csg.plots.maps import save_overlay  # Loads matplotlib.

        self._folder.mkdir(parents=True, exist_ok=True)
        stem = pathlib.Path(prediction["image"]).stem
        path = free_path(self._folder, stem, ".heatmap.png", self._taken)
        height, width = seen
        scale = -(-PICTURE_SIDE // min(seen))
        # The network's field of view, at a size to look at.
        size = height * scale, width * scale
        image = self._reading.decode(prediction["image"], size)
        save_overlay(image, heatmap, path)
        prediction["heatmap"] = str(path)
