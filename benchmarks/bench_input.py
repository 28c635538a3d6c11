"""How near `fit` through the whole input comes to bare steps.

    python benchmarks/bench_input.py
    python benchmarks/bench_input.py --data cifar10 --data-dir DIR

`fit` with shuffling, crop and flip takes turns with the same compiled step on
one constant batch. About three minutes.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np
from alternation import ratio_text, take_turns
from fit_in_turns import FitInTurns
from training_step import bare_step, our_model

import keras_csg

STEPS = 40  # An epoch of the benchmark.


@click.command()
@click.option("--data", default="shapes", show_default=True)
@click.option("--data-dir", type=click.Path())
@click.option("--backbone", default="resnet20", show_default=True)
@click.option("--policy", default="mixed_bfloat16", show_default=True)
@click.option("--batch-size", default=128, show_default=True)
@click.option("--blocks", default=12, show_default=True)
def main(data, data_dir, backbone, policy, batch_size, blocks):
    """Compare `fit` with bare steps."""
    loaded = keras_csg.load_data(data, data_dir=data_dir, image_size=32)
    batches = loaded.train.training_batches(
        batch_size, seed=0, epochs=10**6, augmentation="crop_flip"
    )
    model = our_model(backbone, 32, loaded.num_classes, policy)
    step = bare_step(model, next(iter(batches)))

    def steps():
        for _ in range(STEPS):
            step()

    fit = FitInTurns(model, batches, STEPS)
    taken = take_turns({"fit": fit.epoch, "steps": steps}, blocks, seconds=1)
    for name, seconds in taken.items():
        speed = STEPS * batch_size / np.median(seconds)
        print(f"{name:6} {speed:7.0f} images/s")
    print(
        "fit runs at this share of the speed of bare steps: "
        + ratio_text(taken["steps"], taken["fit"])
    )


if __name__ == "__main__":
    main()
