"""A training of ours beside plain Keras, on each backend that is installed.

    python benchmarks/bench_backends.py              # two minutes a backend

`fit` on arrays of the same network with and without the gate and all that it
reports takes turns, each backend in a process of its own, in float32.
"""

import importlib.util
import os
import subprocess
import sys

import click

BACKENDS = ("tensorflow", "jax", "torch")  # Packages are called so, too.
CLASSES, STEPS = 10, 8


def measure(backbone, size, batch_size, blocks):
    """Prints the line of the backend of this process."""
    import keras
    import numpy as np
    from alternation import ratio_text, take_turns

    import keras_csg

    def optimizer():
        return keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)

    shape = (size, size, 3)
    features = keras_csg.create_backbone(backbone, input_shape=shape)
    pooled = keras.layers.GlobalAveragePooling2D()(features.output)
    plain = keras.Model(features.input, keras.layers.Dense(CLASSES)(pooled))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(optimizer(), loss, metrics=["accuracy"])
    ours = keras_csg.build(backbone, CLASSES, input_shape=shape)
    ours.compile(optimizer())
    rng = np.random.default_rng(0)
    count = STEPS * batch_size
    images = rng.uniform(0, 255, (count, *shape)).astype("float32")
    labels = rng.integers(0, CLASSES, count).astype("int32")

    def fit(model, **options):
        return lambda: model.fit(
            images, labels, batch_size=batch_size, verbose=0, **options
        )

    taken = take_turns(
        {"ours": fit(ours, measure_again=False), "plain": fit(plain)},
        blocks,
        seconds=1,
    )
    speeds = [count / np.median(taken[name]) for name in ("ours", "plain")]
    print(
        f"{keras.backend.backend():11} {speeds[0]:7.0f} {speeds[1]:7.0f}  "
        f"{ratio_text(taken['plain'], taken['ours'])}",
        flush=True,
    )


@click.command()
@click.option("--backbone", default="resnet20", show_default=True)
@click.option("--size", default=32, show_default=True)
@click.option("--batch-size", default=128, show_default=True)
@click.option("--blocks", default=10, show_default=True)
@click.option("--here", is_flag=True, hidden=True)
def main(backbone, size, batch_size, blocks, here):
    """Compare with plain Keras: images a second of both, and the ratio."""
    if here:
        measure(backbone, size, batch_size, blocks)
        return
    print("backend        ours   plain  times as fast", flush=True)
    for backend in BACKENDS:
        if importlib.util.find_spec(backend) is None:
            print(f"{backend:11} is not installed")
            continue
        subprocess.run(
            [sys.executable, *sys.argv, "--here"],
            env={
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "TF_ENABLE_ONEDNN_OPTS": "1",
                **os.environ,
                "KERAS_BACKEND": backend,
            },
            check=True,
        )


if __name__ == "__main__":
    main()
