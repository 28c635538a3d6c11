"""Images per second with Keras's batch normalization and with the fused one.

    python benchmarks/bench_batch_normalization.py --backbone resnet20

Two models that differ in nothing else take turns in one process, in short
blocks, so that whatever else runs on the machine slows both. Each block of
one is held against the neighbouring block of the other. About two minutes.
"""

import functools
import time

import click
import keras
import numpy as np

import keras_csg.backbones
from keras_csg.normalization import fuse_batch_normalization


def build(backbone, size, fused):
    features = keras_csg.backbones.create_backbone(
        backbone, input_shape=(size, size, 3)
    )
    x = keras.layers.GlobalAveragePooling2D()(features.output)
    # The logits leave in float32 whatever the policy.
    logits = keras.layers.Dense(10, dtype="float32")(x)
    model = keras.Model(features.input, logits)
    if fused:
        fuse_batch_normalization(model)
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def images_per_second(step, images, steps):
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * len(images) / (time.perf_counter() - started)


def compare(plain, fused, images, steps, blocks):
    """Returns each block's `(plain, fused)` images per second."""
    plain(), fused()  # Traces them.
    pairs = []
    for block in range(blocks):
        # The one that goes first changes, so neither has the warmer caches.
        order = [plain, fused] if block % 2 == 0 else [fused, plain]
        speed = {step: images_per_second(step, images, steps) for step in order}
        pairs.append((speed[plain], speed[fused]))
    return np.array(pairs)


def print_row(name, pairs):
    plain, fused = np.median(pairs, axis=0)
    low, ratio, high = np.quantile(pairs[:, 1] / pairs[:, 0], [0.25, 0.5, 0.75])
    print(
        f"{name:26} {plain:7.0f} {fused:7.0f} {ratio:7.2f}"
        f"  {low:.2f} to {high:.2f}"
    )


@click.command()
@click.option("--backbone", default="resnet20", show_default=True)
@click.option("--size", default=32, show_default=True, help="Side, in pixels.")
@click.option("--batch-size", default=128, show_default=True)
@click.option("--steps", default=3, show_default=True, help="Per block.")
@click.option("--blocks", default=8, show_default=True)
@click.option("--policies", default="float32,mixed_bfloat16", show_default=True)
def main(backbone, size, batch_size, steps, blocks, policies):
    """Compare the two ways to run batch normalization."""
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (batch_size, size, size, 3)).astype("float32")
    labels = rng.integers(0, 10, batch_size)
    print(f"{'images/s, median':26}   plain   fused   ratio  quartiles")
    for policy in policies.split(","):
        keras.config.set_dtype_policy(policy)
        plain, fused = (build(backbone, size, fuse) for fuse in (False, True))
        for name, given in (
            ("train_on_batch", (images, labels)),
            ("predict_on_batch", (images,)),
        ):
            run = [
                functools.partial(getattr(model, name), *given)
                for model in (plain, fused)
            ]
            pairs = compare(*run, images, steps, blocks)
            print_row(f"{name.split('_')[0]}, {policy}", pairs)


if __name__ == "__main__":
    main()
