import keras
import numpy as np
import pytest
from keras.applications.imagenet_utils import preprocess_input
from numpy.testing import assert_allclose

from keras_csg.layers.image_normalization import (
    ImageNormalization,
    normalize_images,
)


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_values_are_those_of_preprocess_input(mode, dtype):
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3))
    normalised = ImageNormalization(mode)(images.astype(dtype))
    expected = preprocess_input(images.astype("float32"), mode=mode)
    assert normalised.shape == (2, 4, 5, 3)
    assert_allclose(normalised, expected, rtol=1e-5, atol=1e-5)


def test_white_is_one_in_mode_tf():
    white = np.full((1, 1, 1, 3), 255.0)
    assert_allclose(ImageNormalization("tf")(white), np.ones((1, 1, 1, 3)))


def test_images_given_stay_as_they_were():
    images = np.full((1, 2, 2, 3), 255.0, "float32")
    ImageNormalization("tf")(images)
    assert_allclose(images, 255.0)


def test_layer_survives_its_config():
    layer = ImageNormalization("caffe")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert again.mode == "caffe"


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="caffe, tf, torch.*mode=none"):
        ImageNormalization("none")


@pytest.mark.parametrize("mode", [None, "none"])
def test_no_mode_adds_no_layer(mode):
    images = keras.Input((8, 8, 3))
    assert normalize_images(images, mode) is images


def test_images_are_normalised_in_full_precision(half_precision):
    images = keras.Input((8, 8, 3))
    normalised = normalize_images(images, "torch")
    features = keras.layers.Conv2D(2, 3)(normalised)
    assert normalised.dtype == "float32"
    assert features.dtype == "bfloat16"
