"""Measures how faithful heatmaps are: deletion, insertion, pointing.

    pip install quantus tf-keras-vis
    python examples/faithfulness.py weights:cifar10

Takes two minutes on two cores. Expected: a table in which maps that know
something have a lower deletion and a higher insertion than the random one.

Deletion and insertion are `PixelFlipping` of Quantus: from the place that a
map calls the most important on, the image is replaced by a blurred copy of it
(deletion), or the blurred copy by the image (insertion), and the probability of
the predicted class is averaged over the steps. A random map of the same
coarseness and a spot in the centre are the controls. Beside them the grid
pointing game: the share of a map's positive part in the right one of four
images.

References:
    - Petsiuk et al., 2018: https://arxiv.org/abs/1806.07421
    - Bach et al., 2015: https://doi.org/10.1371/journal.pone.0130140
"""

import argparse
import sys

try:  # The first, so that nobody waits to be told.
    import quantus
except ImportError as error:
    sys.exit(f"{error}: pip install quantus")

import keras
import numpy as np
from compare_with_gradcam import gradcam_maps, load_images
from rich.console import Console
from rich.table import Table
from scipy import ndimage

import keras_csg
from keras_csg.evaluation import evaluate_grid_pointing
from keras_csg.explain import class_activation_map
from keras_csg.metrics.resizing import resize_maps

STEPS = 8
"""Steps are an eighth of the pixels' number, over their three values: 24."""
BLUR = 8
"""The blur's sigma is the image's side by this."""
BATCH = 100
SIDE = 2
"""Images in a row of a mosaic."""


def main(run_path, limit=100, data_dir=None, mosaics=50, seed=0):
    model, images, labels = load_images(run_path, limit, data_dir)
    images = np.asarray(images, "float32")
    probabilities = keras.Model(
        model.input, keras.layers.Softmax()(model.output)
    )
    answers = probabilities.predict(images, verbose=0, batch_size=BATCH)
    classes = answers.argmax(axis=1)
    pointing = grid_pointing(model, images, labels, mosaics)
    rng = np.random.default_rng(seed)
    rows = {}
    for name, maps in all_maps(model, images, classes, rng).items():
        order = ranks(maps, rng)
        rows[name] = {
            "deletion": flipped(probabilities, images, classes, order, True),
            "insertion": flipped(probabilities, images, classes, order, False),
            "pointing": pointing.get(name),
        }
        print(f"measured: {name}", file=sys.stderr)
    accuracy = (classes == labels).mean()
    blank = probabilities.predict(blurred(images), verbose=0, batch_size=BATCH)
    print_rows(rows, f"{run_path}: {len(images)} images, predicted classes")
    print(
        f"accuracy {accuracy:.3f}; probability of the predicted class "
        f"{answers.max(axis=1).mean():.3f}, of the blurred image "
        f"{blank[np.arange(len(blank)), classes].mean():.3f}"
    )
    return rows


def all_maps(model, images, classes, rng):
    """Maps of the predicted classes at the images' size."""
    size = images.shape[1:3]
    gradcam = gradcam_maps(model, images, classes)
    noise = rng.uniform(size=gradcam.shape)
    found = {"Grad-CAM (tf-keras-vis)": resize_maps(gradcam, size)}
    found["CAM, all filters"] = class_activation_map(
        model, images, classes, gated=False
    )
    if model.gated:
        found["CAM, own filters"] = class_activation_map(
            model, images, classes, gated=True
        )
    explained = keras_csg.explain.explain(model, images)
    heatmap = explained.predicted.heatmap
    found["heatmap of an explanation"] = resize_maps(heatmap, size)
    found["control: random"] = resize_maps(noise, size)
    y, x = (np.linspace(-1, 1, side) for side in size)
    spot = -np.hypot(y[:, None], x)
    found["control: centre"] = np.broadcast_to(spot, (len(images), *size))
    return found


def ranks(maps, rng):
    """What counts of a map is its order; ties are broken by lot."""
    flat = maps.reshape(len(maps), -1)
    order = np.lexsort((rng.uniform(size=flat.shape), flat), axis=1)
    found = np.empty(flat.shape, "float32")
    places = np.broadcast_to(np.arange(flat.shape[1]), flat.shape)
    np.put_along_axis(found, order, places.astype("float32"), axis=1)
    return found.reshape(maps.shape)


def blurred(images):
    sigma = max(images.shape[1:3]) / BLUR
    return ndimage.gaussian_filter(images, (0, sigma, sigma, 0))


def flipped(model, images, classes, order, deletion):
    """The mean probability of each image's class over the steps."""
    start, source = images, blurred(images)
    if not deletion:
        start, source = source, start
    scores = []
    for first in range(0, len(images), BATCH):
        batch = slice(first, first + BATCH)
        metric = quantus.PixelFlipping(
            features_in_step=step_size(images.shape[1] * images.shape[2]),
            normalise=False,
            perturb_func=replace,
            perturb_func_kwargs={"source": flat(source[batch])},
            disable_warnings=True,
        )
        curves = metric(
            model,
            start[batch],
            classes[batch],
            order[batch],
            channel_first=False,
            softmax=True,
            batch_size=BATCH,
        )
        scores.append(np.mean(curves, axis=1))
    return np.concatenate(scores)


def step_size(pixels):
    """Quantus asks for a number that divides that of the pixels."""
    most = max(1, pixels // STEPS)
    return max(n for n in range(1, most + 1) if pixels % n == 0)


def flat(images):
    """Images as Quantus has them while it changes them: channels first."""
    return np.moveaxis(images, -1, 1).reshape(len(images), -1)


def replace(arr, indices, source, **_):
    """Replaces values of flat images by those of others."""
    rows = np.arange(len(arr))[:, None]
    changed = arr.copy()
    changed[rows, indices] = source[rows, indices]
    return changed


def grid_pointing(model, images, labels, mosaics):
    """Shares in the right cell, by the names of `all_maps`."""
    found = evaluate_grid_pointing(
        model, images.astype("uint8"), labels, SIDE, mosaics=mosaics
    )
    if found is None:  # Too few classes that are told with confidence.
        return {}
    shares = found.shares
    own = shares.get("gated_cam", shares["cam"])
    return {
        # The positive part of the map over all filters is what Grad-CAM is.
        "Grad-CAM (tf-keras-vis)": shares["cam"],
        "CAM, all filters": shares["cam"],
        "CAM, own filters": own,
        "heatmap of an explanation": own,
        "control: random": shares["chance"],
    }


def print_rows(rows, title):
    table = Table(title=title, title_justify="left")
    table.add_column("map")
    columns = ("deletion (low)", "insertion (high)", "grid pointing (high)")
    for name in columns:
        table.add_column(name, justify="right")
    for name, row in rows.items():
        pointing = row["pointing"]
        table.add_row(
            name,
            *(spread(row[key]) for key in ("deletion", "insertion")),
            "-" if pointing is None else f"{pointing:.3f}",
        )
    Console().print(table)


def spread(values):
    """A mean with its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} ± {error:.3f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="run directory, or weights:NAME")
    parser.add_argument("--limit", type=int, default=100, help="images")
    parser.add_argument("--data-dir", help="where the data are now")
    parser.add_argument("--mosaics", type=int, default=50)
    args = parser.parse_args()
    main(args.run, args.limit, args.data_dir, args.mosaics)
