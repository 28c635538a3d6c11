import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from keras_csg.data.augmentation.batch_crops import crop_and_flip

KEY = tf.constant([3, 5])


@tf.function
def cropped(images, key, crop=True, flip=True, area=0.25):
    return crop_and_flip(images, key, crop, flip, area)


def random_images(count, height, width):
    images = np.random.default_rng(0).integers(
        1, 256, (count, height, width, 3), "uint8"
    )
    return images.astype("uint8")


def shifts_of(image, padding):
    """Every crop that the image's padded copy allows, by its offset."""
    padded = np.pad(image, [(padding, padding), (padding, padding), (0, 0)])
    height, width = image.shape[:2]
    return {
        (top, left): padded[top : top + height, left : left + width]
        for top in range(2 * padding + 1)
        for left in range(2 * padding + 1)
    }


def found_offsets(images, changed, padding):
    """The offset and the mirroring that explain each changed image."""
    found = []
    for image, result in zip(images, changed, strict=True):
        explanations = [
            (*offset, mirrored)
            for offset, crop in shifts_of(image, padding).items()
            for mirrored in (False, True)
            if np.array_equal(crop[:, ::-1] if mirrored else crop, result)
        ]
        assert len(explanations) == 1
        found += explanations
    return np.array(found)


def test_small_images_are_shifted_within_a_black_border_and_mirrored():
    images = random_images(120, 16, 24)
    changed = cropped(images, KEY)
    assert changed.dtype == tf.uint8
    top, left, mirrored = found_offsets(images, changed.numpy(), 2).T
    assert set(top) == set(left) == set(range(5))
    assert 0.4 < mirrored.mean() < 0.6
    assert abs(np.corrcoef(top, left)[0, 1]) < 0.2


def test_crop_alone_mirrors_nothing():
    images = random_images(50, 16, 16)
    changed = cropped(images, KEY, flip=False).numpy()
    assert not found_offsets(images, changed, 2)[:, 2].any()


def test_flip_alone_mirrors_about_half_and_moves_nothing():
    images = random_images(200, 80, 16)
    changed = cropped(images, KEY, crop=False).numpy()
    mirrored = (changed == images[:, :, ::-1]).all((1, 2, 3))
    assert_array_equal(changed[~mirrored], images[~mirrored])
    assert 0.4 < mirrored.mean() < 0.6


def test_images_too_small_for_a_border_are_not_moved():
    images = random_images(5, 7, 7)
    assert_array_equal(cropped(images, KEY, flip=False), images)


@pytest.mark.parametrize("area", [0.25, 0.6])
def test_large_images_are_zoomed_into(area):
    # A horizontal ramp: the slope is one over the zoom, its sign the flip.
    ramp = np.tile(np.arange(96, dtype="uint8")[:, None], (400, 72, 1, 3))
    changed = cropped(ramp, KEY, area=area)
    assert changed.dtype == tf.uint8
    assert changed.shape == ramp.shape
    rows = changed.numpy()[:, 0, :, 0].astype(int)
    slope = (rows[:, -1] - rows[:, 0]) / 95
    assert 0.4 < (slope < 0).mean() < 0.6
    # The ratio 3/4 gives the least width.
    assert abs(slope).min() == pytest.approx((area * 3 / 4) ** 0.5, abs=0.05)
    assert 0.9 < abs(slope).max() <= 1
    assert rows.min() >= 0
    assert rows.max() <= 95


@pytest.mark.parametrize("side", [16, 72])
def test_another_key_gives_other_crops(side):
    images = random_images(4, side, side)
    first, again = cropped(images, KEY), cropped(images, KEY)
    assert_array_equal(first, again)
    assert (first != cropped(images, KEY + 1)).numpy().any()
