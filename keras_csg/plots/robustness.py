"""Curves of accuracy over how much images were changed."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_csg.plots.names import literal, literal_names
from keras_csg.plots.saving import save_figure

COLUMNS = 4
"""Panels beside each other."""


def save_robustness(figures: Mapping[str, Any], path: pathlib.Path) -> None:
    """Draws a panel of accuracies for each attack and corruption.

    A colour for each run, dashed for its class-specific head, from the images
    as they were on the left.

    Args:
        figures: dict, as `keras_csg.measure_robustness` returns it.
        path: `pathlib.Path` of the PNG file.
    """
    curves = figures["curves"]
    columns = min(COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    figure = Figure(
        figsize=(max(3.2 * columns, 5), 2.7 * rows + 0.8), layout="constrained"
    )
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).reshape(
        -1
    )
    for panel, curve in zip(panels, curves, strict=False):
        _draw(panel, curve, figures["runs"])
    for panel in panels[len(curves) :]:
        panel.set_axis_off()
    for panel in panels[::columns]:
        panel.set_ylabel("accuracy")
    lines, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        lines, labels, loc="outside lower center", ncols=2, fontsize="small"
    )
    save_figure(figure, path, dpi=120)


def _draw(panel, curve, runs):
    places = np.arange(len(curve["strengths"]) + 1)
    for number, (run, name) in enumerate(
        zip(curve["runs"], literal_names(curve["runs"]), strict=True)
    ):
        points = curve["runs"][run]
        for head, style in (("", "-"), ("class_specific_", "--")):
            key = f"{head}accuracy"
            if key not in points:
                continue
            label = name if not head else f"{name}, class-specific head"
            panel.plot(
                places,
                [runs[run][key], *points[key]],
                style,
                color=f"C{number}",
                marker=".",
                label=label,
            )
    attack = curve["kind"] == "attack"
    panel.set(
        title=literal(curve["change"].replace("_", " ")),
        xlabel="epsilon" if attack else "level",
        ylim=(0, 1.02),
    )
    panel.set_xticks(places, ["0", *curve["strengths"]])
    panel.grid(alpha=0.3)
