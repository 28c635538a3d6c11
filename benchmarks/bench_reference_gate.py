"""A gated training step of keras_csg beside the authors' kind in PyTorch.

    python benchmarks/bench_reference_gate.py --torch-python PYTHON

ResNet-20, 32 pixels, batch 128. PyTorch runs in a process of its own, by any
Python that has it; the two take turns. About two minutes. Without PyTorch it
says so and measures nothing.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pathlib
import subprocess
import sys

import click
import numpy as np
from alternation import ratio_text, take_turns

WORKER = pathlib.Path(__file__).with_name("torch_steps.py")
BATCH_SIZE = 128
STEPS = 4  # In each call of the worker.
MODES = [
    ("gated", "float32", "eager"),
    ("gated", "bfloat16", "eager"),
    ("standard", "float32", "eager"),
    ("standard", "bfloat16", "eager"),
    ("standard", "bfloat16", "compiled"),
]


class TorchSteps:
    """PyTorch's training steps, in another process."""

    def __init__(self, python, mode):
        self._process = subprocess.Popen(
            [python, WORKER, *mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._process.stdout.readline() != "ready\n":
            raise click.ClickException(f"PyTorch failed at {mode}.")

    def run(self):
        """Trains for `STEPS` steps."""
        print(STEPS, file=self._process.stdin, flush=True)
        self._process.stdout.readline()


def our_steps(policy):
    from training_step import bare_step, our_model, random_batch

    model = our_model("resnet20", 32, 10, policy)
    step = bare_step(model, random_batch(32, BATCH_SIZE, 10))

    def run():
        for _ in range(STEPS):
            step()

    return run


def has_torch(python):
    command = [python, "-c", "import torch"]
    return subprocess.run(command, capture_output=True).returncode == 0


@click.command()
@click.option(
    "--torch-python",
    default=sys.executable,
    help="A Python with PyTorch; by default this one.",
)
@click.option("--blocks", default=8, show_default=True)
@click.option("--seconds", default=1.0, show_default=True, help="A block.")
def main(torch_python, blocks, seconds):
    """Compare with PyTorch."""
    if not has_torch(torch_python):
        print(f"{torch_python} has no PyTorch: nothing measured.")
        return
    from keras_csg.training.precision import choose_precision

    sides = {"keras_csg": our_steps(choose_precision("resnet20"))}
    sides |= {mode: TorchSteps(torch_python, mode).run for mode in MODES}
    taken = take_turns(sides, blocks, seconds)
    print("images/s; times as fast as that keras_csg's gated step is")
    for name, times in taken.items():
        words = name if isinstance(name, str) else "PyTorch " + " ".join(name)
        speed = STEPS * BATCH_SIZE / np.median(times)
        ratio = ratio_text(times, taken["keras_csg"])
        print(f"{words:36} {speed:7.0f}  {ratio}")


if __name__ == "__main__":
    main()
