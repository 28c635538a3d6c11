import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import datasets

from keras_csg import load_data


def test_digits_are_scikit_learns_enlarged():
    data = load_data("digits")
    assert data.name == "digits"
    assert data.class_names == list("0123456789")
    assert data.num_classes == 10
    assert data.image_shape == (32, 32, 3)
    assert data.small_images
    assert not data.allow_flip
    assert data.skipped == []
    sizes = [s.num_examples for s in (data.train, data.validation, data.test)]
    assert sizes == [1293, 144, 360]
    assert all(s.cached for s in (data.train, data.validation, data.test))


def test_pixels_keep_their_grey_levels_at_their_own_size():
    data = load_data("digits", image_size=8)
    splits = (data.train, data.validation, data.test)
    images, labels = zip(*(s.images_and_labels() for s in splits), strict=True)
    ours = {
        (image.tobytes(), label)
        for image, label in zip(
            np.concatenate(images), np.concatenate(labels), strict=True
        )
    }
    digits = datasets.load_digits()
    # Level 16 is white.
    levels = np.round(digits.images / 16 * 255).astype("uint8")
    rgb = np.stack([levels] * 3, axis=-1)
    assert ours == {
        (image.tobytes(), label)
        for image, label in zip(rgb, digits.target, strict=True)
    }


def test_every_class_has_its_share_in_every_split():
    data = load_data("digits")
    all_counts = np.bincount(datasets.load_digits().target)
    for split, share in [
        (data.train, 0.72),
        (data.validation, 0.08),
        (data.test, 0.2),
    ]:
        assert np.abs(split.class_counts - share * all_counts).max() < 2
        labels = split.images_and_labels()[1]
        assert_array_equal(split.class_counts, np.bincount(labels))


def test_the_seed_moves_the_validation_split_and_never_the_test_split():
    first, second = load_data("digits", seed=0), load_data("digits", seed=1)
    for name, same in [("train", False), ("validation", False), ("test", True)]:
        images = getattr(first, name).images_and_labels()[0]
        others = getattr(second, name).images_and_labels()[0]
        assert np.array_equal(images, others) == same


def test_validation_split_is_a_share_of_train():
    data = load_data("digits", validation_split=0.5)
    assert abs(data.train.num_examples - data.validation.num_examples) <= 1
    assert data.test.num_examples == 360


def test_the_data_cannot_be_changed():
    data = load_data("digits")
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train = data.test
    assert "num_examples=1293" in repr(data)
