"""Training throughput end to end: keras_csg beside plain Keras.

    python benchmarks/bench_end_to_end.py
    python benchmarks/bench_end_to_end.py --data cifar10 --data-dir DIR

Both sides train by `fit` on the same images. Plain Keras: float32, Keras's
batch normalization, no gate; shuffle, batch, then Keras's own layers for crop
and flip inside `tf.data`, as its guides do. Ours: `--precision auto`, the gate
and its reports, keras_csg's input. About four minutes.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
import tensorflow as tf
from alternation import ratio_text, take_turns
from fit_in_turns import FitInTurns
from training_step import our_model, plain_model

import keras_csg
from keras_csg.training.precision import choose_precision

STEPS = 25  # An epoch of the benchmark.


def plain_batches(split, batch_size, size):
    """The input that Keras's guides build."""
    images, labels = split.images_and_labels()
    augment = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.ZeroPadding2D(size // 8),
            keras.layers.RandomCrop(size, size),
        ]
    )
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images)).repeat().batch(batch_size)
    batches = batches.map(
        lambda x, y: (augment(tf.cast(x, tf.float32), training=True), y),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return batches.prefetch(tf.data.AUTOTUNE)


@click.command()
@click.option("--data", default="shapes", show_default=True)
@click.option("--data-dir", type=click.Path())
@click.option("--backbone", default="resnet20", show_default=True)
@click.option("--size", default=32, show_default=True, help="Side, in pixels.")
@click.option("--batch-size", default=128, show_default=True)
@click.option("--blocks", default=10, show_default=True)
def main(data, data_dir, backbone, size, batch_size, blocks):
    """Compare `fit` of both sides."""
    loaded = keras_csg.load_data(data, data_dir=data_dir, image_size=size)
    classes = loaded.num_classes
    policy = choose_precision(backbone)
    ours = FitInTurns(
        our_model(backbone, size, classes, policy),
        loaded.train.training_batches(
            batch_size, seed=0, epochs=10**6, augmentation="crop_flip"
        ),
        STEPS,
    )
    ours.epoch()  # Traced under its own dtype policy.
    plain = FitInTurns(
        plain_model(backbone, size, classes, "float32"),
        plain_batches(loaded.train, batch_size, size),
        STEPS,
    )
    taken = take_turns({"plain": plain.epoch, "ours": ours.epoch}, blocks)
    for name, seconds in taken.items():
        speed = STEPS * batch_size / np.median(seconds)
        print(f"{name:6} {speed:7.1f} images/s")
    ratio = ratio_text(taken["plain"], taken["ours"])
    print(
        f"{backbone}, {size} pixels: ours ({policy}) is {ratio} times as fast"
    )


if __name__ == "__main__":
    main()
