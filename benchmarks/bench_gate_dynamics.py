"""Whether the gate closes, and well, whatever the sizes and the optimizer.

    python benchmarks/bench_gate_dynamics.py                    # half an hour
    python benchmarks/bench_gate_dynamics.py --picture FILE.png   # six minutes

The table is of one convolution on noisy prototypes of the classes, for several
numbers of classes C, filters K, steps and optimizers: the L1-density and what
it was to be, the fewest filters that are one class's own, accuracy, and that
of the class-specific head. The picture is of ResNet-20 on digits: density and
class-specific accuracy by epoch.
"""

import itertools
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
from matplotlib.figure import Figure

import keras_csg

SIZES = [
    (2, 16),
    (2, 256),
    (10, 16),
    (10, 64),
    (10, 2048),
    (100, 64),
    (100, 512),
    (1000, 512),
    (1000, 2048),
]
STEPS = (40, 150, 1000)
OPTIMIZERS = {
    "SGD 0.1": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "SGD 0.01": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "AdamW 1e-3": lambda: keras.optimizers.AdamW(1e-3),
    "AdamW 1e-4": lambda: keras.optimizers.AdamW(1e-4),
    "RMSprop 1e-3": lambda: keras.optimizers.RMSprop(1e-3),
    "RMSprop 1e-4": lambda: keras.optimizers.RMSprop(1e-4),
}
IN_TABLE = ("SGD 0.1", "AdamW 1e-3", "AdamW 1e-4", "RMSprop 1e-3")
BATCH_SIZE = 64
DRAWN = {
    "l1_density": "L1-density",
    "class_specific_accuracy": "accuracy of the class-specific head, training",
}


def noisy_prototypes(classes, count, seed=0):
    """Images of 4x4 pixels, each its class's own and noise."""
    rng = np.random.default_rng(seed)
    prototypes = rng.uniform(60, 195, (classes, 4, 4, 3))
    labels = rng.integers(0, classes, count)
    noise = rng.normal(0, 15, (count, 4, 4, 3))
    images = np.clip(prototypes[labels] + noise, 0, 255)
    return images.astype("float32"), labels.astype("int32")


def one_convolution(filters):
    images = keras.Input((4, 4, 3))
    x = keras.layers.Rescaling(1 / 64, offset=-2)(images)
    maps = keras.layers.Conv2D(filters, 4, activation="relu")(x)
    return keras.Model(images, maps)


def row(classes, filters, steps, optimizer):
    keras.utils.set_random_seed(0)
    images, labels = noisy_prototypes(classes, steps * BATCH_SIZE)
    model = keras_csg.CSGClassifier(one_convolution(filters), classes)
    model.compile(OPTIMIZERS[optimizer]())
    model.fit(images, labels, batch_size=BATCH_SIZE, verbose=0)
    found = model.evaluate(
        images[:4096], labels[:4096], verbose=0, return_dict=True
    )
    gate = keras.ops.convert_to_numpy(model.gate.gate_matrix)
    return (
        f"{classes:5} {filters:5} {steps:5}  {optimizer:13} "
        f"{gate.mean():.5f} {model.target_density:.5f} "
        f"{int((gate == 1).sum(axis=1).min()):5}    {found['accuracy']:.3f} "
        f"{found['class_specific_accuracy']:.3f}"
    )


def by_epoch(optimizer, epochs=20):
    """The history of ResNet-20 on digits."""
    keras.utils.set_random_seed(0)
    data = keras_csg.load_data("digits", image_size=8)
    images, labels = data.train.images_and_labels()
    model = keras_csg.build("resnet20", 10, input_shape=data.image_shape)
    model.compile(OPTIMIZERS[optimizer]())
    history = model.fit(
        images, labels, batch_size=64, epochs=epochs, verbose=0
    ).history
    print(
        f"{optimizer:13} accuracy {history['accuracy'][-1]:.3f}, "
        f"class-specific {history['class_specific_accuracy'][-1]:.3f}, "
        f"density {history['l1_density'][-1]:.4f}",
        flush=True,
    )
    return history


def draw(path):
    figure = Figure(figsize=(9, 4), layout="constrained")
    panels = figure.subplots(1, len(DRAWN))
    for number, optimizer in enumerate(OPTIMIZERS):
        history = by_epoch(optimizer)
        for panel, name in zip(panels, DRAWN, strict=True):
            epochs = range(1, len(history[name]) + 1)
            # Curves that are the same lie over each other, ever thinner.
            width = 1 + 1.5 * (len(OPTIMIZERS) - number)
            panel.plot(epochs, history[name], label=optimizer, lw=width)
    for panel, label in zip(panels, DRAWN.values(), strict=True):
        panel.set(xlabel="epoch", ylabel=label, ylim=(0, 1.02))
        panel.set_xticks(range(0, 21, 5))
    panels[-1].legend(loc="lower right")
    figure.suptitle("ResNet-20 on digits")
    figure.savefig(path, dpi=120)


@click.command()
@click.option("--picture", type=click.Path(), help="Draw it there instead.")
def main(picture):
    """Print the table, or draw densities by epoch."""
    if picture:
        draw(picture)
        return
    print(
        "    C     K steps  optimizer     density, wanted; fewest own; "
        "accuracy, class-specific"
    )
    for (classes, filters), steps in itertools.product(SIZES, STEPS):
        for optimizer in IN_TABLE:
            print(row(classes, filters, steps, optimizer), flush=True)
            keras.backend.clear_session()


if __name__ == "__main__":
    main()
