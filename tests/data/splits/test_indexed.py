"""Images in memory are there once."""

import pathlib
import subprocess
import sys

import pytest

MEASURE = """
import pathlib
import re
import numpy as np
import tensorflow as tf
from keras_csg.data.splits.indexed import IndexedSplit, cached_reader

def peak():  # Of this process: `getrusage` counts the one before it, too.
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024

COUNT, SHAPE = 4000, (200, 200, 3)
tf.gather(tf.zeros(3), [0]).numpy()
before = peak()
images = np.full((COUNT, *SHAPE), 7, "uint8")
split = IndexedSplit(
    cached_reader(images), np.zeros(COUNT), np.arange(COUNT), 2, SHAPE, True
)
for _ in split.training_batches(32, seed=0, epochs=1):
    pass
for _ in split.batches(32):
    pass
print((peak() - before) / images.nbytes)
"""


@pytest.mark.skipif(
    not pathlib.Path("/proc/self/status").exists(), reason="no /proc"
)
def test_images_in_memory_are_there_once():
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        capture_output=True,
        text=True,
        check=True,
    )
    # Batches on their way take some, too; two copies would be 2 and more.
    assert 1 <= float(done.stdout) < 1.4
