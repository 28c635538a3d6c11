"""Compares a run's heatmaps with Grad-CAM of tf-keras-vis on the same images.

    pip install tf-keras-vis
    python examples/compare_with_gradcam.py weights:cifar10 gradcam.png

Takes half a minute. Expected: a table of rank correlations, of which the first
is 1: behind global average pooling Grad-CAM is the class activation map over
all filters, its negative part cut off. How far the map over the class's own
filters is from it says what the gate changes. And a picture of both beside each
other.
"""

import argparse
import pathlib
import sys

try:  # The first, so that nobody waits to be told.
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.scores import CategoricalScore
except ImportError as error:
    sys.exit(f"{error}: pip install tf-keras-vis")

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

import keras_csg
from keras_csg.data import load_annotated
from keras_csg.explain import class_activation_map, rank_correlation
from keras_csg.metrics.resizing import resize_maps
from keras_csg.plots import save_maps
from keras_csg.training import load_run_data
from keras_csg.training.opening import open_run

SHOWN = 6


def main(run_path, picture_path, limit=100, data_dir=None):
    model, images, labels = load_images(run_path, limit, data_dir)
    found = keras_csg.explain.explain(model, images)
    classes = found.predicted.classes
    gradcam = gradcam_maps(model, images, classes)
    cam = coarse_cam(model, images, classes, gated=False)
    others = {
        "CAM, all filters, positive part": np.maximum(cam, 0),
        "CAM, all filters": cam,
    }
    if model.gated:
        own = coarse_cam(model, images, classes, gated=True)
        others["CAM, own filters"] = own
    others["heatmap of an explanation"] = found.predicted.heatmap
    rows = {
        name: rank_correlation(gradcam, maps) for name, maps in others.items()
    }
    print_rows(rows, f"Grad-CAM on {len(images)} images of {run_path}, and ...")
    save(found, model, images, gradcam, picture_path)
    return {name: float(values.mean()) for name, values in rows.items()}


def load_images(run_path, limit, data_dir=None):
    """Returns a run's model, and images of its test split with labels."""
    run = open_run(run_path)
    model = run.load_model()
    if model.multi_label:
        sys.exit(f"{run_path}: these maps are of one class an image.")
    data = load_run_data(run, model, data_dir=data_dir, log=tell)
    images, labels, _ = load_annotated(data, part="object", limit=limit)
    return model, images, labels


def tell(text):
    print(text, file=sys.stderr)


def gradcam_maps(model, images, classes, batch_size=32):
    """Grad-CAM of the classes' logits at the last convolution, `(n, h, w)`."""
    explainer = Gradcam(model)  # The classifier is a flat model of logits.
    parts = []
    for start in range(0, len(images), batch_size):
        batch = slice(start, start + batch_size)
        cams = explainer(
            CategoricalScore(classes[batch].tolist()),
            np.asarray(images[batch], "float32"),
            penultimate_layer=model.backbone.layers[-1].name,
            seek_penultimate_conv_layer=False,
            expand_cam=False,  # As coarse as it is; enlarged as ours are.
        )
        parts.append(np.asarray(cams))
    return np.concatenate(parts)


def coarse_cam(model, images, classes, gated):
    """The class activation map at the size of the filters' maps."""
    maps = keras_csg.explain.look_at(model, images).maps
    weights = keras.ops.convert_to_numpy(model.head.kernel).T
    if gated:
        weights = weights * keras.ops.convert_to_numpy(model.gate.gate_matrix)
    return np.matmul(maps, weights[classes][:, None, :, None])[..., 0]


def print_rows(rows, title):
    table = Table(title=title, title_justify="left")
    table.add_column("map")
    for name in ("mean rank correlation", "10 %", "median", "90 %"):
        table.add_column(name, justify="right")
    for name, values in rows.items():
        shares = np.quantile(values, (0.1, 0.5, 0.9))
        cells = [f"{value:.3f}" for value in (values.mean(), *shares)]
        table.add_row(name, *cells)
    Console().print(table)


def save(found, model, images, gradcam, path):
    """Draws some images, spread over them, under the maps."""
    chosen = np.arange(min(SHOWN, len(images))) * len(images)
    chosen = chosen // min(SHOWN, len(images))
    classes = found.predicted.classes[chosen]
    size = images.shape[1:3]
    maps = {"Grad-CAM": resize_maps(gradcam[chosen], size)}
    if model.gated:
        maps["CAM, own filters"] = class_activation_map(
            model, images[chosen], classes, gated=True
        )
    maps["heatmap"] = resize_maps(found.predicted.heatmap[chosen], size)
    titles = [found.class_names[number] for number in classes]
    save_maps(images[chosen], maps, pathlib.Path(path), titles=titles)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="run directory, or weights:NAME")
    parser.add_argument("picture", help="PNG file to write")
    parser.add_argument("--limit", type=int, default=100, help="images")
    parser.add_argument("--data-dir", help="where the data are now")
    args = parser.parse_args()
    main(args.run, args.picture, args.limit, args.data_dir)
