import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.choices import AUGMENTATIONS
from keras_csg.data.augmentation.augmentation import (
    IMAGE_LAYERS,
    MIXING_LAYERS,
    Augmentation,
)
from keras_csg.data.augmentation.keyed_layer import KeyedLayer
from keras_csg.data.augmentation.rand_augment import SwitchedRandAugment

KEY = tf.constant([3, 5])


def images_of_levels(levels, side=8):
    """One grey image a level, of shape `(levels, side, side, 3)`."""
    levels = np.array(levels, "uint8")[:, None, None, None]
    return np.broadcast_to(levels, (len(levels), side, side, 3))


def traced(names):
    """The augmentation of three classes, from and to arrays."""
    function = tf.function(Augmentation(names, 3), autograph=False)

    def augment(images, labels, key=KEY):
        labels = tf.constant(labels, tf.int32)
        images, labels = function(tf.constant(images), labels, key)
        return images.numpy(), labels.numpy()

    return augment


compiled = functools.cache(traced)  # Tracing is what takes time here.


def augmented(names, images, labels):
    return compiled(names)(images, labels)


def test_none_changes_nothing():
    images = images_of_levels([1, 2])
    same, labels = augmented("none", images, [0, 1])
    assert_array_equal(same, images)
    assert same.dtype == np.uint8
    assert_array_equal(labels, [0, 1])
    assert labels.dtype == np.int32


def test_every_layer_can_be_chosen():
    crops = ("none", "crop", "flip", "crop_flip")
    assert AUGMENTATIONS == (*crops, *IMAGE_LAYERS, *MIXING_LAYERS)
    for name in AUGMENTATIONS:
        Augmentation(name, 3)


@pytest.mark.parametrize(
    "names",
    ["blur", "crop,", "crop flip", "", "crop:", "crop:x", "crop:0", "crop:1.1"]
    + ["crop_flip:nan", "flip:0.5", "crop,crop:0.6", "crop_flip:0.6,crop"]
    + ["none,crop", "crop,crop", "flip, flip"],
)
def test_an_unknown_augmentation_is_named(names):
    with pytest.raises(ValueError, match=f"Received: '{names}'"):
        Augmentation(names, 3)


def test_a_crop_keeps_a_share_of_the_area():
    assert Augmentation("crop", 3).area == 0.25
    assert Augmentation("mixup, crop_flip:0.6", 3).area == 0.6
    assert Augmentation("crop_flip:0.6", 3).flip


def test_mixup_mixes_labels_as_it_mixes_images():
    # Grey level 100 y for class y: the mean level tells the mixed label.
    labels = np.arange(60) % 3
    images, soft = augmented("mixup", images_of_levels(100 * labels), labels)
    assert soft.dtype == np.float32
    assert soft.shape == (60, 3)
    assert_allclose(soft.sum(1), 1, rtol=1e-6)
    assert_allclose(images.mean((1, 2, 3)), soft @ [0, 100, 200], atol=1e-3)
    assert (soft.max(1) < 0.999).any()


def test_cutmix_mixes_labels_by_area():
    labels = np.arange(60) % 3
    images, soft = augmented(
        "cutmix", images_of_levels(100 * labels, 64), labels
    )
    assert soft.dtype == np.float32
    assert_allclose(soft.sum(1), 1, rtol=1e-6)
    assert set(np.unique(images)) <= {0.0, 100.0, 200.0}
    # The layer's box has real-valued sides, the pixels in it do not.
    means = images.mean((1, 2, 3))
    assert_allclose(means, soft @ [0, 100, 200], atol=10)


def test_of_mixup_and_cutmix_each_batch_gets_one():
    labels = np.arange(60) % 3
    images = images_of_levels(100 * labels, 16)
    augment, kinds = compiled("mixup,cutmix"), set()
    for number in range(8):
        mixed, soft = augment(images, labels, tf.constant([number, 0]))
        assert_allclose(soft.sum(1), 1, rtol=1e-6)
        pure = set(np.unique(mixed)) <= {0.0, 100.0, 200.0}
        kinds.add("cutmix" if pure else "mixup")
    assert kinds == {"cutmix", "mixup"}


@pytest.mark.parametrize("name", IMAGE_LAYERS)
def test_image_layers_stay_in_range_and_keep_labels(name):
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3))
    images, augment = images.astype("uint8"), compiled(name)
    for number in range(9):
        changed, labels = augment(images, [0] * 8, tf.constant([number, 0]))
        assert changed.dtype == np.float32
        assert changed.min() >= 0
        assert changed.max() <= 255
        assert_array_equal(labels, [0] * 8)


def test_a_half_precision_policy_leaves_pixels_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        images, labels = traced("random_erasing,mixup")(
            images_of_levels([9, 9]), [0, 1]
        )
    finally:
        keras.config.set_dtype_policy("float32")
    assert images.dtype == labels.dtype == np.float32


def test_switched_rand_augment_equals_the_stock_layer():
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3))
    images = tf.constant(images, tf.float32)
    ours = KeyedLayer(SwitchedRandAugment())
    stock = KeyedLayer(keras.layers.RandAugment())
    ours_of, stock_of = (
        tf.function(layer, autograph=False) for layer in (ours, stock)
    )
    for number in range(20):
        key = tf.constant([number, 0])
        assert_allclose(ours_of(images, key), stock_of(images, key), atol=1e-3)


@pytest.mark.parametrize("name", [*IMAGE_LAYERS, *MIXING_LAYERS])
def test_keras_layers_follow_the_key_alone(name):
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3))
    images = images.astype("uint8")
    labels, augment = np.arange(8) % 3, compiled(name)
    first = augment(images, labels)
    keras.utils.set_random_seed(99)
    again = augment(images, labels)
    other = augment(images, labels, KEY + 1)
    assert_array_equal(first[0], again[0])
    assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any()
