"""Draws the gate of a run, and where its classes' filters fire.

    keras-csg train --data shapes --image-size 32 --epochs 12 --out runs/shapes
    python examples/draw_gate.py runs/shapes gate.png

Takes ten seconds after some minutes of training. Expected: a staircase, each
filter open to its class, and of each class a test image with the map of the
class's filters laid over it. The run's data must load by their name.
"""

import argparse

import keras
import numpy as np
from matplotlib.figure import Figure

import keras_csg
from keras_csg.training import Run, load_run_data

COLUMNS = 5
MOST_CLASSES = 10


def main(run_path, picture_path):
    run = Run(run_path)
    model = run.load_model()
    data = load_run_data(run, model)
    images, labels = one_of_each_class(
        data.test, min(MOST_CLASSES, len(data.class_names))
    )
    maps = keras_csg.explain.class_activation_map(model, images, labels)

    figure = Figure(figsize=(10, 3), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.1))
    draw_gate(
        left,
        keras.ops.convert_to_numpy(model.gate.gate_matrix),
        data.class_names,
    )
    draw_maps(right, images, maps, [data.class_names[n] for n in labels])
    figure.savefig(picture_path, dpi=100)


def one_of_each_class(split, classes):
    """The first test image of each of the first classes."""
    found = {}
    for images, labels in split.batches(128):
        for image, label in zip(
            np.asarray(images), np.asarray(labels), strict=True
        ):
            found.setdefault(int(label), image)
        if all(number in found for number in range(classes)):
            break
    numbers = [number for number in range(classes) if number in found]
    return np.stack([found[number] for number in numbers]), np.array(numbers)


def draw_gate(figure, gate_matrix, class_names):
    panel = figure.subplots()
    panel.imshow(
        keras_csg.metrics.ordered_by_class(gate_matrix),
        vmin=0,
        vmax=1,
        aspect="auto",
        interpolation="nearest",
    )
    panel.set_title(
        "The gate: which filter answers for which class", fontsize=10
    )
    panel.set_xlabel(f"{gate_matrix.shape[1]} filters, ordered by their class")
    panel.set_xticks([])
    panel.set_yticks(range(len(class_names)), class_names, fontsize=8)


def draw_maps(figure, images, maps, titles):
    figure.suptitle(
        "Images, and where the filters of their class fire", fontsize=10
    )
    rows = -(-len(images) // COLUMNS)
    panels = figure.subplots(2 * rows, COLUMNS, squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    for number, (image, heat, title) in enumerate(
        zip(images, maps, titles, strict=True)
    ):
        row, column = divmod(number, COLUMNS)
        above, below = panels[2 * row, column], panels[2 * row + 1, column]
        above.set_title(title, fontsize=8)
        above.imshow(image)
        below.imshow(image)
        heat = np.maximum(heat, 0)
        heat = heat / max(heat.max(), 1e-7)
        below.imshow(heat, cmap="inferno", alpha=0.7 * heat)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="directory that `keras-csg train` wrote")
    parser.add_argument("picture", help="PNG file to write")
    args = parser.parse_args()
    main(args.run, args.picture)
