"""What the gate costs: a gated training step beside the standard one.

    python benchmarks/bench_gate.py   # about 8 minutes

The same network, settings and batch, with the gate and all its losses and
without, at K = 64, C = 10 and at K = 2048, C = 1000: while the gate closes, and
when it rests.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import keras
import numpy as np
from alternation import ratio_text, take_turns
from training_step import bare_step, our_model, random_batch

# (backbone, side of the images, batch size, classes)
NETWORKS = [
    ("resnet20", 32, 128, 10),
    ("resnet50", 96, 32, 1000),
    ("resnet50", 224, 32, 1000),
]


@click.command()
@click.option("--policy", default="mixed_bfloat16", show_default=True)
@click.option("--blocks", default=16, show_default=True)
@click.option("--seconds", default=1.0, show_default=True, help="A block.")
def main(policy, blocks, seconds):
    """Compare gated and standard training steps."""
    print("ms a step, gated and standard; their ratio, median (quartiles)")
    for backbone, size, batch_size, classes in NETWORKS:
        batch = random_batch(size, batch_size, classes)
        sides = {}
        for name in ("closing", "at rest", "standard"):
            gated = name != "standard"
            model = our_model(backbone, size, classes, policy, gated)
            if name == "closing":
                model.gate_budget.plan(10**6)  # For as long as it is timed.
            if name == "at rest":
                model.gate_budget.settled.assign(1)
            sides[name] = bare_step(model, batch)
        taken = take_turns(sides, blocks, seconds)
        standard = taken.pop("standard")
        for name, seconds_taken in taken.items():
            print(
                f"{backbone:8} {size:3} px, K = {model.filters}, C = {classes}"
                f" {name:8} {np.median(seconds_taken) * 1e3:8.1f} "
                f"{np.median(standard) * 1e3:8.1f}  "
                f"{ratio_text(seconds_taken, standard)}",
                flush=True,
            )
        keras.backend.clear_session()


if __name__ == "__main__":
    main()
