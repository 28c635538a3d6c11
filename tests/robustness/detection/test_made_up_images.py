import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.robustness.detection import MADE_UP, make_up_images

IMAGES = np.random.default_rng(0).uniform(0, 255, (3, 10, 9, 3))
SHAPE = (10, 9, 3)


@pytest.mark.parametrize("kind", MADE_UP)
def test_images_are_rgb_and_a_function_of_the_seed(kind):
    made = make_up_images(kind, 5, SHAPE, seed=1, images=IMAGES)
    assert (made.shape, made.dtype) == ((5, *SHAPE), np.float32)
    assert made.min() >= 0
    assert made.max() <= 255
    again = make_up_images(kind, 5, SHAPE, seed=1, images=IMAGES)
    assert_array_equal(made, again)
    other = make_up_images(kind, 5, SHAPE, seed=2, images=IMAGES)
    assert np.abs(made - other).max() > 0


def test_shuffled_patches_are_those_of_the_image():
    # Each patch of 2x2 has its own level; the last rows and column stay.
    levels = np.arange(16.0).reshape(4, 4).repeat(2, 0).repeat(2, 1)
    image = np.zeros((1, 10, 9, 3))
    image[0, :8, :8] = levels[..., None]
    image[0, 8:] = 99
    (made,) = make_up_images("patches", 1, SHAPE, images=image)
    patches = made[:8:2, :8:2, 0]
    assert sorted(patches.ravel()) == list(range(16))
    assert not np.array_equal(patches, levels[::2, ::2])
    assert_array_equal(made[:8, :8, 0], patches.repeat(2, 0).repeat(2, 1))
    assert (made[8:] == 99).all()


def test_colours_are_smooth_and_noise_is_not():
    def roughness(kind):
        made = make_up_images(kind, 20, (32, 32, 3))
        return np.abs(np.diff(made, axis=1)).mean()

    assert roughness("colours") < 15 < 60 < roughness("noise")


def test_unknown_kinds_and_missing_images_are_named():
    with pytest.raises(ValueError, match="must be one of noise, colours"):
        make_up_images("ghosts", 3, SHAPE)
    with pytest.raises(ValueError, match="cut from real images"):
        make_up_images("patches", 3, SHAPE)
    with pytest.raises(ValueError, match="at least 4x4"):
        make_up_images("patches", 3, SHAPE, images=np.zeros((1, 3, 3, 3)))
