"""Pictures of a run."""

import math
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import ConfusionMatrixDisplay

from keras_csg.metrics.ablation import Ablation
from keras_csg.metrics.gates import order_by_class, ordered_by_class
from keras_csg.plots.names import literal_names
from keras_csg.plots.saving import save_figure

MOST_NAMES = 40
"""Classes whose names fit beside a matrix."""
INCH_OF_TEXT = 11
"""Characters of a small label in an inch."""

Columns = Mapping[str, Sequence[float]]


def save_curves(columns: Columns, path: pathlib.Path) -> None:
    """Draws the accuracies, the losses and the gate's density by epoch.

    The average precisions where those were measured, not accuracies.

    Args:
        columns: dict from a figure's name to its values by epoch, NaN where
            an epoch has none; `epoch`, their numbers, among them. Without an
            epoch nothing is drawn.
        path: `pathlib.Path` of the PNG file.
    """
    epochs = columns.get("epoch", [])
    if not epochs:
        return
    gated = "l1_density" in columns
    several = "val_average_precision" in columns
    score = "average_precision" if several else "accuracy"
    first = score.replace("_", " ").capitalize()
    titles = [first, "Loss"]
    titles += ["L1-density of the gate"] * gated
    titles += ["MIS without the gate"] * ("val_mis" in columns)
    figure = Figure(figsize=(4.4 * len(titles), 4), layout="constrained")
    panels = dict(zip(titles, figure.subplots(1, len(titles)), strict=True))
    scores, loss = panels[first], panels["Loss"]
    _draw(scores, columns, score, "standard path")
    # Until 0.1.0 a gated network's loss was the sum of all there is.
    standard = "standard_loss" if "standard_loss" in columns else "loss"
    _draw(loss, columns, standard, "standard path")
    if gated:
        _draw(scores, columns, f"class_specific_{score}", "class-specific")
        _draw(loss, columns, "gated_loss", "gated path")
        density = panels["L1-density of the gate"]
        density.plot(epochs, columns["l1_density"], color="C2")
        density.set_ylim(0, 1.02)
    if "val_mis" in columns:
        mis = panels["MIS without the gate"]
        mis.plot(epochs, columns["val_mis"], color="C3")
    loss.set_yscale("log")
    for title, panel in panels.items():
        panel.set(title=title, xlabel="epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.grid(alpha=0.3)
    for panel in (scores, loss):
        panel.legend(fontsize="small")
    save_figure(figure, path, dpi=120)


def _draw(panel, columns, name, label):
    """Draws a figure of the validation split and, dotted, of the training."""
    epochs = columns["epoch"]
    missing = [math.nan] * len(epochs)
    validation = columns.get(f"val_{name}", missing)
    (line,) = panel.plot(epochs, validation, label=label)
    panel.plot(
        epochs,
        columns.get(name, missing),
        linestyle=":",
        color=line.get_color(),
        label=f"{label}, training",
    )


def save_gate(
    gate_matrix: np.ndarray,
    class_names: Sequence[str] | None,
    path: pathlib.Path,
    filter_names: Mapping[int, str] | None = None,
) -> None:
    """Draws the gate matrix, its filters ordered by their best class.

    Args:
        gate_matrix: array of shape `(classes, filters)` in `[0, 1]`.
        class_names: list of str, or `None`.
        path: `pathlib.Path` of the PNG file.
        filter_names: dict from a filter's number to its name, or `None`;
            beside more than `MOST_NAMES` there is no room.
    """
    classes, filters = gate_matrix.shape
    figure = Figure(
        figsize=(min(4 + filters / 10, 16), min(1.5 + classes / 4, 12)),
        layout="constrained",
    )
    panel = figure.subplots()
    image = panel.imshow(
        ordered_by_class(gate_matrix),
        vmin=0,
        vmax=1,
        cmap="viridis",
        aspect="auto",
        interpolation="nearest",
    )
    figure.colorbar(image, label="gate")
    panel.set(
        title=f"Gate matrix, L1-density {gate_matrix.mean():.3f}",
        xlabel=f"{filters} filters, ordered by their best class",
        ylabel="class",
    )
    if class_names and classes <= MOST_NAMES:
        panel.set_yticks(range(classes), literal_names(class_names))
    if filter_names and len(filter_names) <= MOST_NAMES:
        order = order_by_class(gate_matrix).tolist()
        places = [order.index(number) for number in filter_names]
        names = [f"{number} {name}" for number, name in filter_names.items()]
        names = literal_names(names)
        panel.set_xticks(places, names, rotation=90, fontsize="small")
        room = max(map(len, names)) / INCH_OF_TEXT
        figure.set_figheight(figure.get_figheight() + room)
    save_figure(figure, path, dpi=120)


def save_ablation(
    recalls: Ablation,
    class_names: Sequence[str] | None,
    path: pathlib.Path,
) -> None:
    """Draws the recall of every class without, and with only, one's filters.

    Args:
        recalls: `Ablation`.
        class_names: list of str, or `None`.
        path: `pathlib.Path` of the PNG file.
    """
    classes = len(recalls.removed)
    side = min(3 + classes / 4, 12)
    figure = Figure(figsize=(2 * side + 1.5, side), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    sides = {"removed": recalls.removed, "kept alone": recalls.kept}
    for panel, (title, recall) in zip(panels, sides.items(), strict=True):
        image = panel.imshow(
            recall, vmin=0, vmax=1, cmap="viridis", interpolation="nearest"
        )
        panel.set(
            title=f"The class's filters {title}", xlabel="recall of this class"
        )
        if class_names and classes <= MOST_NAMES:
            names = literal_names(class_names)
            panel.set_xticks(range(classes), names, rotation=90)
            panel.set_yticks(range(classes), names)
    panels[0].set_ylabel("filters of this class")
    figure.colorbar(image, ax=panels, label="recall")
    save_figure(figure, path, dpi=120)


def save_confusion(
    confusion: np.ndarray,
    class_names: Sequence[str] | None,
    path: pathlib.Path,
) -> None:
    """Draws what is taken for what, as shares of each class's images.

    Args:
        confusion: int array of shape `(classes, classes)`.
        class_names: list of str, or `None`.
        path: `pathlib.Path` of the PNG file.
    """
    classes = len(confusion)
    side = min(3 + classes / 3, 14)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    panel = figure.subplots()
    images = confusion.sum(axis=1, keepdims=True)
    few = classes <= MOST_NAMES
    display = ConfusionMatrixDisplay(
        confusion / np.maximum(images, 1),
        display_labels=literal_names(class_names or map(str, range(classes))),
    )
    display.plot(
        ax=panel,
        include_values=classes <= MOST_NAMES / 2,
        values_format=".2f",
        xticks_rotation="vertical",
        im_kw={"vmin": 0, "vmax": 1},
    )
    if not few:
        panel.set(xticks=[], yticks=[])
    panel.set_title("Share of a class's images")
    save_figure(figure, path, dpi=120)


def save_ablation_confusion(
    matrices: tuple[np.ndarray, np.ndarray],
    class_names: Sequence[str] | None,
    label: int,
    path: pathlib.Path,
) -> None:
    """Draws what is taken for what without, and with only, a class's filters.

    Args:
        matrices: pair of int arrays `(classes, classes)`, as
            `ablation_confusion` gives them.
        class_names: list of str, or `None`.
        label: int. The class.
        path: `pathlib.Path` of the PNG file.
    """
    names = literal_names(class_names or map(str, range(len(matrices[0]))))
    side = min(3 + len(names) / 3, 14)
    figure = Figure(figsize=(2 * side, side + 1.5), layout="constrained")
    panels = figure.subplots(1, 2)
    for panel, matrix, words in zip(
        panels, matrices, ("removed", "kept alone"), strict=True
    ):
        few = len(names) <= MOST_NAMES
        display = ConfusionMatrixDisplay(matrix, display_labels=names)
        display.plot(
            ax=panel,
            include_values=few,
            values_format="d",
            xticks_rotation="vertical",
            colorbar=False,
        )
        panel.set_title(f"Filters of {names[label]} {words}")
        if not few:
            panel.set(xticks=[], yticks=[])
    save_figure(figure, path, dpi=120)
