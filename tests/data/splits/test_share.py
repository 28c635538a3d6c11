"""The parts that processes read make up the batches that one reads."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from keras_csg.data.splits.indexed import IndexedSplit, cached_reader
from keras_csg.data.splits.renumbered import RenumberedSplit
from keras_csg.data.splits.share import Share
from keras_csg.data.splits.streamed import StreamedSplit

COUNT, CLASSES, SHAPE = 46, 4, (16, 16, 3)
BATCH = 16  # Two of these, and 14 which do not divide among four devices.
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (COUNT, *SHAPE), "uint8")
LABELS = RANDOM.integers(0, CLASSES, COUNT)


def indexed():
    numbers = np.arange(COUNT)
    read = cached_reader(IMAGES)
    return IndexedSplit(read, LABELS, numbers, CLASSES, SHAPE, cached=True)


def streamed():
    encoded = [tf.io.encode_png(image).numpy() for image in IMAGES]
    examples = tf.data.Dataset.from_tensor_slices((encoded, LABELS))
    return StreamedSplit(examples, decode, 20, COUNT, CLASSES, SHAPE)


def decode(image):
    return tf.ensure_shape(tf.io.decode_png(image), SHAPE)


def renumbered():
    return RenumberedSplit(indexed(), np.array([2, 0, 3, 1]))


def read(split, share=None, **options):
    if options:
        return list(split.training_batches(BATCH, share=share, **options))
    return list(split.batches(BATCH, share=share))


@pytest.mark.parametrize("make", [indexed, streamed, renumbered])
@pytest.mark.parametrize(
    "options", [{}, {"seed": 3, "epochs": 2, "augmentation": "crop_flip"}]
)
def test_parts_make_up_the_batch(make, options):
    split = make()
    whole = read(split, **options)
    parts = [read(split, Share(n, 2, 4), **options) for n in range(2)]
    assert [len(part) for part in parts] == [len(whole)] * 2
    for (images, labels), *of_all in zip(whole, *parts, strict=True):
        divides = len(labels) % 4 == 0
        for part in of_all:
            assert bool(part[2]) != divides
            assert len(part[1]) == len(labels) // (2 if divides else 1)
        if divides:
            joined = [np.concatenate([p[n] for p in of_all]) for n in (0, 1)]
            assert_array_equal(joined[0], images)
            assert_array_equal(joined[1], labels)
        for part in of_all if not divides else ():
            assert_array_equal(part[0], images)
            assert_array_equal(part[1], labels)


def test_only_the_own_part_is_read():
    seen = []

    def read_images(numbers):
        seen.extend(numbers.tolist())
        return IMAGES[numbers]

    split = IndexedSplit(
        lambda numbers: tf.numpy_function(read_images, [numbers], tf.uint8),
        LABELS,
        np.arange(32),
        CLASSES,
        SHAPE,
        cached=True,
    )
    read(split, Share(1, 2, 2))
    assert sorted(seen) == [*range(8, 16), *range(24, 32)]


def test_layers_draw_for_each_part_and_alike_for_all_of_it():
    options = {"seed": 3, "epochs": 1, "augmentation": "mixup"}
    first, second = (
        read(indexed(), Share(n, 2, 4), **options) for n in range(2)
    )
    assert_array_equal(first[-1][0], second[-1][0])
    assert_array_equal(first[-1][1], second[-1][1])
    assert first[0][1].shape == (8, CLASSES)
    assert not np.array_equal(first[0][0], second[0][0])
    again = read(indexed(), Share(1, 2, 4), **options)
    assert_array_equal(again[0][0], second[0][0])
