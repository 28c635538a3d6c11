"""Pictures of maps laid over images."""

import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from keras_csg.metrics.resizing import resize_maps
from keras_csg.plots.names import literal
from keras_csg.plots.saving import save_figure, save_pixels

OPACITY = 0.7
UNSEEN = 0.45
"""Brightness of what a network did not see."""


def save_maps(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    path: pathlib.Path,
    *,
    masks: np.ndarray | None = None,
    titles: Sequence[str] | None = None,
) -> None:
    """Draws images with maps laid over them.

    Args:
        images: uint8 array of shape `(samples, height, width, 3)`.
        maps: dict from a name to an array `(samples, height, width)`.
        path: `pathlib.Path` of the PNG file.
        masks: bool array of shape `(samples, height, width)`: objects, whose
            outlines are drawn; `None` for none.
        titles: list of str, one for each image; `None` for none.
    """
    columns, rows = 1 + len(maps), len(images)
    figure = Figure(figsize=(2 * columns, 2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for number, line in enumerate(panels):
        for panel in line:
            panel.set_axis_off()
            panel.imshow(images[number])
            if masks is not None:
                _outline(panel, masks[number])
        if titles is not None:
            line[0].set_title(literal(titles[number]), fontsize=9)
        for panel, values in zip(line[1:], maps.values(), strict=True):
            panel.imshow(values[number], cmap="inferno", alpha=0.6)
    for panel, name in zip(panels[0][1:], maps, strict=True):
        panel.set_title(name.replace("_", " "), fontsize=9)
    save_figure(figure, path, dpi=110)


def save_overlay(
    image: np.ndarray, heatmap: np.ndarray, path: pathlib.Path
) -> None:
    """Draws one image, pixel by pixel, with a heatmap laid over it.

    The warmer a pixel the more of the image it covers, so that what is cold
    looks as it did.

    Args:
        image: uint8 array of shape `(height, width, 3)`.
        heatmap: float array of shape `(h, w)`, 0..1, resized to the image.
        path: `pathlib.Path` of the PNG file.
    """
    save_pixels(overlay(image, resize_maps(heatmap, image.shape[:2])), path)


def overlay(
    image: np.ndarray, heat: np.ndarray, colours: str = "inferno"
) -> np.ndarray:
    """Lays a heatmap over an image.

    Args:
        image: uint8 array of shape `(height, width, 3)`.
        heat: float array of shape `(height, width)`, 0..1; NaN where nothing
            is known, which is darkened.
        colours: str. Name of a colour map of matplotlib.

    Returns:
        uint8 array of shape `(height, width, 3)`.
    """
    unseen = np.isnan(heat)
    warm = np.where(unseen, 0, heat).clip(0, 1)[..., None]
    painted = colormaps[colours](warm[..., 0])[..., :3] * 255
    blended = image + OPACITY * warm * (painted - image)
    blended = np.where(unseen[..., None], UNSEEN * blended, blended)
    return blended.round().astype("uint8")


def _outline(panel, mask):
    if mask.any() and not mask.all():
        panel.contour(mask, levels=[0.5], colors="lime", linewidths=1.2)
