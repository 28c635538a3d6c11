import pathlib
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from keras_csg.plots.names import literal_names
from keras_csg.plots.saving import save_figure


def save_examples(
    examples: Mapping[str, np.ndarray], path: pathlib.Path
) -> None:
    """Draws some images of each class, a row for a class.

    Args:
        examples: dict from a class's name to uint8 images
            `(images, height, width, 3)`.
        path: `pathlib.Path` of the PNG file.
    """
    columns = max(len(images) for images in examples.values())
    figure = Figure(
        figsize=(1.3 * columns + 1.5, 1.3 * len(examples)),
        layout="constrained",
    )
    panels = figure.subplots(len(examples), columns, squeeze=False)
    names = literal_names(examples)
    for line, name, images in zip(
        panels, names, examples.values(), strict=True
    ):
        for panel in line:
            panel.set_axis_off()
        for panel, image in zip(line, images, strict=False):
            panel.imshow(image)
        line[0].set_title(name, fontsize=9, loc="left")
    save_figure(figure, path, dpi=110)
