"""Time of the localisation figures beside plain loops over images and filters.

python benchmarks/bench_localization.py   # less than a minute

The loops do what the method's authors' scripts do: one filter of one image at
a time, resized, thresholded and compared by eager operations of the framework
(theirs is PyTorch, here it is TensorFlow); the gradients of one image at a
time, from a batch of as many copies of it as there are filters. A second loop
does the same in NumPy and Pillow. Both sides run in this process, in turns.
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import ndimage

import keras_csg
from keras_csg.explain.activation_map import activation_thresholds
from keras_csg.explain.filter_gradients import FilterGradients, blur_gradients
from keras_csg.metrics.filter_localization import filter_scores
from keras_csg.metrics.localization import intersection_over_union

REPEATS = 5
SIZE, CELLS, FILTERS, IMAGES = 128, 8, 64, 200
LOOPED = 4  # Images that the loops get, to be done in time.
TOP = 30


def main():
    rng = np.random.default_rng(0)
    maps = np.maximum(rng.normal(size=(IMAGES, CELLS, CELLS, FILTERS)), 0)
    maps = maps.astype("float32")
    masks = box_of_half_the_area()[None].repeat(IMAGES, axis=0)
    activation_maps(maps, masks)
    gradient_blur(rng, masks)
    gradients_of_a_network(rng)


def box_of_half_the_area():
    mask = np.zeros((SIZE, SIZE), bool)
    mask[20:110, 15:108] = True
    return mask


def activation_maps(maps, masks):
    thresholds = activation_thresholds(maps)
    few = maps[:LOOPED], masks[:LOOPED], thresholds

    def ours():
        return filter_scores(maps, masks, thresholds)[0]

    same(ours()[:LOOPED], tensorflow_loop(*few), numpy_loop(*few))
    compare(
        f"activation maps: overlap of {FILTERS} filters, us a map",
        ours,
        {
            "TensorFlow": lambda: tensorflow_loop(*few),
            "NumPy and Pillow": lambda: numpy_loop(*few),
        },
        IMAGES * FILTERS,
        LOOPED * FILTERS,
    )


def tensorflow_loop(maps, masks, thresholds):
    overlaps = np.zeros((len(maps), maps.shape[-1]))
    for n, image_maps in enumerate(maps):
        mask = tf.cast(masks[n], tf.float32)
        for k in range(maps.shape[-1]):
            one = tf.constant(image_maps[None, :, :, k : k + 1])
            resized = tf.image.resize(one, masks.shape[1:])[0, :, :, 0]
            marked = tf.cast(resized >= thresholds[k], tf.float32)
            both = tf.reduce_sum(tf.minimum(marked, mask))
            either = tf.reduce_sum(tf.maximum(marked, mask))
            overlaps[n, k] = both / either
    return overlaps


def numpy_loop(maps, masks, thresholds):
    overlaps = np.zeros((len(maps), maps.shape[-1]))
    for n, image_maps in enumerate(maps):
        for k in range(maps.shape[-1]):
            one = Image.fromarray(np.ascontiguousarray(image_maps[:, :, k]))
            resized = one.resize(masks.shape[1:], Image.Resampling.BILINEAR)
            marked = np.asarray(resized) >= thresholds[k]
            both = np.minimum(marked, masks[n]).sum()
            overlaps[n, k] = both / np.maximum(marked, masks[n]).sum()
    return overlaps


def gradient_blur(rng, masks):
    norms = rng.random((LOOPED, TOP, SIZE, SIZE)).astype("float32")
    masks = masks[:LOOPED, None]

    def ours():
        return intersection_over_union(blur_gradients(norms) > 1, masks)

    def loop():
        return np.array(
            [
                [blurred_overlap(norm, mask[0]) for norm in image]
                for image, mask in zip(norms, masks, strict=True)
            ]
        )

    count = LOOPED * TOP
    title = f"gradient maps: blur and overlap of {TOP} filters, us a map"
    compare(title, ours, {"SciPy": loop}, count, count)


def blurred_overlap(norm, mask):
    norm = norm / np.sqrt((norm**2).mean())
    blurred = ndimage.gaussian_filter(norm, 30, mode="mirror", truncate=1)
    marked = blurred > 1
    return (marked & mask).sum() / (marked | mask).sum()


def gradients_of_a_network(rng, images=8):
    model = keras_csg.build("resnet20", 10, input_shape=(32, 32, 3))
    pictures = rng.uniform(0, 255, (images, 32, 32, 3)).astype("float32")
    filters = rng.permuted(np.tile(np.arange(64), (images, 1)), axis=1)[:, :TOP]
    weights = np.eye(64, dtype="float32")[filters]
    gradients = FilterGradients(model)

    def ours():
        return gradients.norms(pictures, weights)

    def loop():
        return np.stack(
            [
                gradients_of_copies(model, picture, chosen)
                for picture, chosen in zip(pictures, filters, strict=True)
            ]
        )

    same(ours(), loop())
    compare(
        f"gradient maps: {TOP} backward passes of a ResNet-20, us a map",
        ours,
        {"TensorFlow": loop},
        images * TOP,
        images * TOP,
    )


def gradients_of_copies(model, picture, filters):
    copies = tf.repeat(picture[None], len(filters), axis=0)
    with tf.GradientTape() as tape:
        tape.watch(copies)
        features = model.features(copies, training=False)
        targets = tf.gather(features, filters, batch_dims=1)
    return tf.norm(tape.gradient(targets, copies), axis=-1).numpy()


def same(ours, *others):
    for other in others:
        gap = np.abs(ours - other).max()
        if gap > 0.02:
            raise SystemExit(f"The results differ by {gap}.")


def compare(title, ours, loops, our_maps, their_maps):
    """Prints times for each map, and how many times faster ours is."""
    print(title)
    ours()
    mine, theirs = [], {name: [] for name in loops}
    for _ in range(REPEATS):
        mine.append(1e6 * seconds(ours) / our_maps)
        for name, loop in loops.items():
            theirs[name].append(1e6 * seconds(loop) / their_maps)
    print(f"  keras_csg              {spread(mine)}")
    for name, times in theirs.items():
        ratios = np.array(times) / mine
        print(f"  loop, {name:16} {spread(times)}")
        print(f"    times faster         {spread(ratios)}")


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def spread(values):
    low, middle, high = np.quantile(values, [0, 0.5, 1])
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


if __name__ == "__main__":
    main()
