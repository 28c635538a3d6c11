"""A run that was begun with TensorFlow, trained on where there is none.

KERAS_BACKEND=jax python -m tests.engines.runs_without_tensorflow IMAGES RUN
"""

import pathlib
import sys

from tests.engines.without_tensorflow import ABSENT, hide

BENCHMARKS = pathlib.Path(__file__).parents[2] / "benchmarks"


def main(images, run):
    sys.path.insert(0, str(BENCHMARKS))
    from train_on_arrays import train

    train(run, images, 1, True)
    assert not set(ABSENT) & set(sys.modules)


if __name__ == "__main__":
    hide()
    main(*map(pathlib.Path, sys.argv[1:]))
