"""Memory and pace of a training on more images than are kept in memory.

    python benchmarks/bench_streaming.py --images 200000 --folder /tmp/many

JPEG files of 64 pixels, made where they are not there yet, read anew from the
disk in every epoch. Prints the memory every 10,000 images, the seconds until
the first step, and the images a second of the reading alone, of the step alone,
and of both.
"""

import os
import pathlib
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
from PIL import Image

import keras_csg

CLASSES = 10
SIDE = 64
BATCH_SIZE = 128
EVERY = 10_000


def make(folder, count):
    """Writes what is missing of the images: colours of a class, and noise."""
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (CLASSES, 4, 4, 3), "uint8")
    for number in range(count):
        label = number % CLASSES
        path = folder / f"class{label}" / f"{number:06}.jpg"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(colours[label]).resize((SIDE, SIDE))
        pixels = np.asarray(image) // 2
        noise = rng.integers(0, 128, (SIDE // 4, SIDE // 4, 3), "uint8")
        pixels = pixels + noise.repeat(4, axis=0).repeat(4, axis=1)
        Image.fromarray(pixels).save(path, quality=85)


def resident():
    """Returns the MiB that the process has in memory."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


class Watch(keras.callbacks.Callback):
    """Prints the memory every so many images."""

    def __init__(self):
        super().__init__()
        self.seen, self.told, self.memory = 0, 0, []
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Counts a batch."""
        if not self.seen:
            seconds = time.monotonic() - self.began
            print(f"first step after {seconds:.1f} s", flush=True)
            self.began = time.monotonic()
        self.seen += BATCH_SIZE
        if self.seen - self.told >= EVERY:
            self.told = self.seen
            self.memory.append(resident())
            pace = self.seen / (time.monotonic() - self.began)
            print(
                f"{self.seen:8,} images {self.memory[-1]:8,.0f} MiB "
                f"{pace:6,.0f} images/s",
                flush=True,
            )


def pace_of(batches, work=lambda images, labels: None, most=20_000):
    """Returns images a second of some work on batches."""
    seen, began = 0, None
    for images, labels in batches:
        work(images, labels)
        if began is None:  # What is made once is not counted.
            began = time.monotonic()
            continue
        seen += len(labels)
        if seen >= most:
            break
    return seen / (time.monotonic() - began)


@click.command()
@click.option("--images", default=200_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=pathlib.Path))
@click.option("--image-size", default=32, show_default=True)
def main(images, folder, image_size):
    """Train ResNet-20 for an epoch on images from the disk."""
    make(folder, images)
    began = time.monotonic()
    data = keras_csg.load_data(
        folder, image_size=image_size, cache=False, log=print
    )
    print(f"looked through in {time.monotonic() - began:.0f} s")
    keras.utils.set_random_seed(0)
    shape = data.image_shape
    model = keras_csg.build("resnet20", CLASSES, input_shape=shape)
    model.compile("adam")
    stream = data.train.training_batches(BATCH_SIZE, seed=0, epochs=99)
    alone = pace_of(stream)
    images_of_one, labels_of_one = next(iter(stream))
    model.train_on_batch(images_of_one, labels_of_one)
    count = 40
    began = time.monotonic()
    for _ in range(count):
        model.train_on_batch(images_of_one, labels_of_one)
    step = count * BATCH_SIZE / (time.monotonic() - began)
    watch = Watch()
    began = time.monotonic()
    model.fit(
        data.train.training_batches(BATCH_SIZE, seed=0),
        callbacks=[watch],
        verbose=0,
        measure_again=False,
    )
    both = data.train.num_examples / (time.monotonic() - began)
    grown = max(watch.memory, default=0) - min(watch.memory, default=0)
    print(
        f"images a second: reading {alone:,.0f}, the step {step:,.0f}, both "
        f"{both:,.0f}; memory between first and last "
        f"line: {grown:,.0f} MiB"
    )


if __name__ == "__main__":
    main()
