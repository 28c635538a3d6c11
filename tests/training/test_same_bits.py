"""The same seed, machine and number of threads: the same weights.

On a CPU without `deterministic`, too, which there costs nothing.
"""

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run
from tests.training.photos import check_same_weights, write

pytestmark = pytest.mark.slow
OPTIONS = {
    "backbone": "tiny",
    "epochs": 2,
    "image_size": 8,
    "loggers": "none",
    "seed": 3,
    "log": None,
}


@pytest.fixture
def photos(tmp_path):
    for name, first in (("cat", 0), ("dog", 100)):
        write(tmp_path / "photos" / name, range(first, first + 30))
    return tmp_path / "photos"


def train_twice(path, **options):
    for name in ("one", "other"):
        keras_csg.train(path / name, **OPTIONS, **options)
        keras.utils.set_random_seed(7)  # Whatever came between.
    assert not Run(path / "one").options.deterministic
    rows = [Run(path / name).history.rows for name in ("one", "other")]
    for row in (row for found in rows for row in found):
        del row["seconds"]
    assert rows[0] == rows[1]
    check_same_weights(path / "one", path / "other")


def test_files_read_and_changed_by_threads_come_as_before(
    photos, tmp_path, tiny_name
):
    train_twice(
        tmp_path,
        data=photos,
        batch_size=16,
        augment="crop,flip,random_erasing,mixup,cutmix",
        cache="off",
    )


@pytest.mark.parametrize(
    "options",
    [
        {"augment": "rand_augment"},
        {"sampling": "balanced", "optimizer": "adamw"},
        {"gate_schedule": "alternating", "gate_warmup": 1},
        {"precision": "mixed_bfloat16"},
    ],
    ids=str,
)
def test_digits_end_in_the_same_bits(options, tmp_path, tiny_name):
    train_twice(tmp_path, data="digits", batch_size=256, **options)


def test_another_seed_ends_in_others(tmp_path, tiny_name):
    for seed in (3, 4):
        options = {**OPTIONS, "seed": seed}
        keras_csg.train(tmp_path / f"{seed}", batch_size=256, **options)
    weights = [Run(tmp_path / f"{n}").load_model().weights for n in (3, 4)]
    pairs = zip(*weights, strict=True)
    assert any(not np.array_equal(a, b) for a, b in pairs)
