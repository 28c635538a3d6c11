"""Start-up of `keras-csg --help` beside importing TensorFlow.

python benchmarks/bench_startup.py   # about a minute
"""

import pathlib
import subprocess
import sys

import numpy as np
from alternation import ratio_text, take_turns

COMMAND = pathlib.Path(sys.executable).with_name("keras-csg")


def runner(*command):
    def run():
        subprocess.run(command, check=True, capture_output=True)

    return run


def main():
    """Prints seconds a start, and how many times TensorFlow's."""
    taken = take_turns(
        {
            "--help": runner(COMMAND, "--help"),
            "python": runner(sys.executable, "-c", "import click"),
            "tensorflow": runner(sys.executable, "-c", "import tensorflow"),
        },
        blocks=5,
    )
    for name, times in taken.items():
        print(f"{name:12} {np.median(times):6.3f} s")
    ratio = ratio_text(taken["--help"], taken["tensorflow"])
    print(f"--help takes {ratio} of `import tensorflow`")


if __name__ == "__main__":
    main()
