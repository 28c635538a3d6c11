"""Images per second with Keras's batch normalization and with the fused one.

    python benchmarks/bench_batch_normalization.py --backbone resnet20

Two models that differ in nothing else take turns in one process, in short
blocks, so that whatever else runs on the machine slows both. Each block of
one is held against the neighbouring block of the other. About two minutes.
"""

import functools

import click
import numpy as np
from alternation import ratio_text, take_turns
from training_step import plain_model, random_batch

from keras_csg.layers.batch_normalization import fuse_batch_normalization

CLASSES = 10


def build(fused, backbone, size, policy):
    model = plain_model(backbone, size, CLASSES, policy)
    return fuse_batch_normalization(model) if fused else model


def compare(name, models, given, blocks):
    taken = take_turns(
        {
            key: functools.partial(getattr(model, name), *given)
            for key, model in models.items()
        },
        blocks,
    )
    speeds = [len(given[0]) / np.median(times) for times in taken.values()]
    return speeds, ratio_text(taken["plain"], taken["fused"])


@click.command()
@click.option("--backbone", default="resnet20", show_default=True)
@click.option("--size", default=32, show_default=True, help="Side, in pixels.")
@click.option("--batch-size", default=128, show_default=True)
@click.option("--blocks", default=8, show_default=True)
@click.option("--policies", default="float32,mixed_bfloat16", show_default=True)
def main(backbone, size, batch_size, blocks, policies):
    """Compare the two ways to run batch normalization."""
    images, labels = random_batch(size, batch_size, CLASSES)
    print(f"{'images/s, median':32}   plain   fused   ratio (quartiles)")
    for policy in policies.split(","):
        models = {
            key: build(key == "fused", backbone, size, policy)
            for key in ("plain", "fused")
        }
        for name, given in (
            ("train_on_batch", (images, labels)),
            ("predict_on_batch", (images,)),
        ):
            (plain, fused), ratio = compare(name, models, given, blocks)
            what = f"{name.split('_')[0]}, {policy}"
            print(f"{what:32} {plain:7.0f} {fused:7.0f}   {ratio}", flush=True)


if __name__ == "__main__":
    main()
