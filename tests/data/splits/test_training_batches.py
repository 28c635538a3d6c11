import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from keras_csg import load_data

AUGMENTATIONS = [
    "none",
    "crop",
    "crop_flip",
    "random_erasing",
    "mixup",
    "cutmix",
    pytest.param(
        "crop_flip,rand_augment,random_erasing,mixup,cutmix",
        marks=pytest.mark.slow,
    ),
]


def arrays(batches):
    return [(images.numpy(), labels.numpy()) for images, labels in batches]


def assert_same(batches, others):
    assert len(batches) == len(others)
    for (images, labels), (other_images, other_labels) in zip(
        batches, others, strict=True
    ):
        assert_array_equal(images, other_images)
        assert_array_equal(labels, other_labels)


def check_purity(split, augmentation, batch_size):
    """Compares a whole stream with a resumed and a differently seeded one."""
    steps = split.steps_per_epoch(batch_size)

    def stream(seed, first_epoch, epochs):
        return arrays(
            split.training_batches(
                batch_size,
                seed=seed,
                first_epoch=first_epoch,
                epochs=epochs,
                augmentation=augmentation,
            )
        )

    whole = stream(7, 0, 2)
    assert len(whole) == 2 * steps
    # The global seed is the caller's business, not the stream's.
    tf.random.set_seed(0)
    assert_same(whole[steps:], stream(7, 1, 2))
    assert (whole[0][0] != whole[steps][0]).any()
    assert (whole[0][0] != stream(8, 0, 1)[0][0]).any()


@pytest.fixture(scope="module")
def digits():
    return load_data("digits", image_size=16)


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_batches_depend_on_seed_epoch_and_number_alone(digits, augmentation):
    check_purity(digits.validation, augmentation, batch_size=50)


@pytest.mark.parametrize("cache", [True, False])
def test_a_folder_gives_the_same_batches_again(flat_folder, cache):
    split = load_data(flat_folder, cache=cache).train
    assert split.cached == cache
    check_purity(split, "crop_flip", batch_size=9)


@pytest.mark.parametrize("cache", [True, False])
def test_a_tfds_set_gives_the_same_batches_again(prepare_tfds, cache):
    data_dir = prepare_tfds({"train": [0, 1, 2] * 10, "test": [0, 1, 2]})
    split = load_data("tiny_set", data_dir=data_dir, cache=cache).train
    assert split.cached == cache
    check_purity(split, "crop_flip,mixup", batch_size=8)


def test_an_epoch_holds_every_image_once_and_the_rest_in_its_last_batch(
    digits,
):
    split = digits.test
    stream = split.training_batches(100, seed=0, epochs=2)
    assert split.num_examples == 360
    assert split.steps_per_epoch(100) == 4
    assert stream.cardinality() == 8
    batches = arrays(stream)
    assert [len(labels) for _, labels in batches] == [100, 100, 100, 60] * 2
    expected, _ = split.images_and_labels()
    for epoch in (batches[:4], batches[4:]):
        images = np.concatenate([images for images, _ in epoch])
        assert_array_equal(
            np.sort(images.reshape(360, -1).sum(1)),
            np.sort(expected.reshape(360, -1).sum(1)),
        )


def test_labels_stay_with_their_images(digits):
    images, labels = digits.train.images_and_labels()
    known = {i.tobytes(): y for i, y in zip(images, labels, strict=True)}
    for batch_images, batch_labels in digits.train.training_batches(64, seed=1):
        for image, label in zip(batch_images, batch_labels, strict=True):
            assert known[image.numpy().tobytes()] == label.numpy()


def test_two_epochs_and_two_seeds_have_different_orders(digits):
    batches = arrays(digits.train.training_batches(2000, seed=0, epochs=2))
    other = arrays(digits.train.training_batches(2000, seed=1))
    orders = [labels for _, labels in [*batches, *other]]
    for first, second in [(0, 1), (0, 2), (1, 2)]:
        agreement = (orders[first] == orders[second]).mean()
        assert agreement < 0.2


def test_batches_is_in_order_and_once_over(digits):
    images, labels = digits.validation.images_and_labels()
    batches = digits.validation.batches(100)
    assert batches.cardinality() == 2
    assert batches.element_spec[0].shape.as_list() == [None, 16, 16, 3]
    read = arrays(batches)
    assert [len(part) for _, part in read] == [100, 44]
    assert_array_equal(np.concatenate([part for part, _ in read]), images)
    assert_array_equal(np.concatenate([part for _, part in read]), labels)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32


def test_a_limit_takes_the_first_images(digits):
    images, labels = digits.train.images_and_labels(300)
    all_images, all_labels = digits.train.images_and_labels(10**6)
    assert len(all_images) == digits.train.num_examples
    assert_array_equal(images, all_images[:300])
    assert_array_equal(labels, all_labels[:300])


def test_a_stream_that_starts_at_its_end_is_empty(digits):
    stream = digits.test.training_batches(9, seed=0, first_epoch=2, epochs=2)
    assert stream.cardinality() == 0
    assert arrays(stream) == []


@pytest.mark.parametrize("first_epoch, epochs", [(-1, 1), (3, 2)])
def test_epochs_out_of_order_are_refused(digits, first_epoch, epochs):
    with pytest.raises(ValueError, match=f"first_epoch={first_epoch}, epochs"):
        digits.test.training_batches(
            9, seed=0, first_epoch=first_epoch, epochs=epochs
        )


@pytest.mark.parametrize("batch_size", [0, -3, 2.5])
def test_a_batch_size_must_be_a_positive_integer(digits, batch_size):
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}"):
        digits.test.batches(batch_size)
    with pytest.raises(ValueError, match=f"Received: batch_size={batch_size}"):
        digits.test.training_batches(batch_size, seed=0)


SCRIPT = """
import hashlib, sys
import tensorflow as tf
if "deterministic" in sys.argv:
    tf.random.set_seed(3)
    tf.config.experimental.enable_op_determinism()
from keras_csg import load_data
data = load_data("digits", image_size=16)
names = "crop_flip,rand_augment,random_erasing,mixup,cutmix"
digest = hashlib.sha256()
for images, labels in data.test.training_batches(
    100, seed=5, epochs=2, augmentation=names
):
    digest.update(images.numpy().tobytes() + labels.numpy().tobytes())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_other_processes_and_op_determinism_give_the_same_bits():
    digests = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, *arguments],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for arguments in ([], [], ["deterministic"])
    }
    assert len(digests) == 1
