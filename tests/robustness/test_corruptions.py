import colorsys

import numpy as np
import pytest
from PIL import Image, ImageFilter

from keras_csg.choices import CORRUPTIONS
from keras_csg.robustness.corruptions import LEVELS, corrupt


@pytest.fixture(scope="module")
def photos():
    """Smooth pictures with an edge, as noise cannot be spoiled by much."""
    rows, columns = np.mgrid[0:32, 0:32] / 31
    red = np.stack([rows, columns, rows * columns], -1)
    blue = np.stack([(rows > 0.5) * 1.0, 1 - columns, columns], -1)
    return np.rint(255 * np.stack([red, blue])).astype("uint8")


def error(images, others):
    return np.abs(images.astype(float) - others).mean()


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_levels_grow_and_nothing_else_changes(photos, kind):
    before = photos.copy()
    spoiled = [corrupt(photos, kind, level) for level in LEVELS]
    errors = [error(photos, images) for images in spoiled]
    assert all(x.dtype == np.uint8 and x.shape == photos.shape for x in spoiled)
    assert errors[0] > 0 and errors[0] < errors[2] < errors[4] < 128
    np.testing.assert_array_equal(photos, before)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_an_image_is_spoiled_alike_whatever_stands_beside_it(photos, kind):
    both = corrupt(photos, kind, 3, seed=2, numbers=[7, 9])
    alone = corrupt(photos[1:], kind, 3, seed=2, numbers=[9])
    np.testing.assert_array_equal(both[1:], alone)


def test_noise_is_of_the_seed_and_the_image(photos):
    grey = np.full((2, 32, 32, 3), 128, "uint8")
    first, second = corrupt(grey, "gaussian_noise", 5)
    assert error(first, second) > 1
    assert error(corrupt(grey, "gaussian_noise", 5, seed=1)[0], first) > 1


def test_noise_is_as_large_as_it_says():
    grey = np.full((4, 64, 64, 3), 128, "uint8")
    noisy = corrupt(grey, "gaussian_noise", 5) / 255
    assert noisy.std() == pytest.approx(0.10, rel=0.03)
    # The standard deviation of a Poisson count is the root of its mean.
    shots = corrupt(grey, "shot_noise", 5) / 255
    assert shots.std() == pytest.approx((128 / 255 / 50) ** 0.5, rel=0.03)
    spots = corrupt(grey, "impulse_noise", 5)
    assert (spots == 255).mean() == pytest.approx(0.035, rel=0.15)
    assert (spots == 0).mean() == pytest.approx(0.035, rel=0.15)
    assert set(np.unique(spots)) == {0, 128, 255}


def test_brightness_is_added_to_the_value_of_hsv(photos):
    lighter = corrupt(photos, "brightness", 3)
    for before, after in zip(
        photos.reshape(-1, 3)[::37], lighter.reshape(-1, 3)[::37], strict=True
    ):
        hue, saturation, value = colorsys.rgb_to_hsv(*before / 255)
        value = min(value + 0.15, 1)
        wanted = np.array(colorsys.hsv_to_rgb(hue, saturation, value)) * 255
        np.testing.assert_allclose(after, wanted, atol=0.51)


def test_contrast_shrinks_towards_the_mean_of_each_channel():
    images = np.zeros((1, 2, 1, 3), "uint8")
    images[0, 1] = 200
    np.testing.assert_array_equal(
        corrupt(images, "contrast", 2)[0, :, 0, 0], [50, 150]
    )


def test_blurs_are_those_of_the_side(photos):
    small = corrupt(photos, "gaussian_blur", 5)
    wanted = Image.fromarray(photos[1]).filter(ImageFilter.GaussianBlur(1))
    assert error(small[1], np.asarray(wanted)) < 2
    double = photos.repeat(2, axis=1).repeat(2, axis=2)
    large = corrupt(double, "gaussian_blur", 5)
    assert error(large[:, ::2, ::2], small) < 4


@pytest.mark.parametrize("level", LEVELS)
def test_defocus_keeps_the_light(level):
    images = np.zeros((1, 32, 32, 3), "uint8")
    images[0, 12:20, 12:20] = 200
    blurred = corrupt(images, "defocus_blur", level).astype(float)
    assert blurred.sum() == pytest.approx(images.sum(dtype=float), rel=0.01)
    np.testing.assert_array_equal(blurred, blurred[:, ::-1, ::-1])


def test_jpeg_is_what_pillow_writes(photos, tmp_path):
    Image.fromarray(photos[0]).save(tmp_path / "a.jpg", quality=58)
    with Image.open(tmp_path / "a.jpg") as read:
        np.testing.assert_array_equal(
            corrupt(photos, "jpeg", 3)[0], np.asarray(read)
        )


def test_fog_brightens_what_is_dark_and_nothing_leaves_the_range(photos):
    foggy = corrupt(photos, "fog", 5)
    dark = photos < 30
    assert foggy[dark].mean() > photos[dark].mean() + 30
    assert foggy.max() <= photos.max()
    black = np.zeros((1, 8, 8, 3), "uint8")
    np.testing.assert_array_equal(corrupt(black, "fog", 5), black)


def test_other_sizes_and_no_images_do():
    tiny = np.full((1, 1, 3, 3), 9, "uint8")
    for kind in CORRUPTIONS:
        assert corrupt(tiny, kind, 5).shape == tiny.shape
        assert corrupt(tiny[:0], kind, 5).shape == (0, 1, 3, 3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"kind": "rain"}, "`kind` must be one of gaussian_noise"),
        ({"level": 6}, "`level` must be a whole number from 1 to 5"),
        ({"level": True}, "`level` must be"),
        ({"images": np.zeros((1, 8, 8, 3))}, "must be uint8"),
        ({"images": np.zeros((8, 8, 3), "uint8")}, "must be uint8"),
    ],
)
def test_bad_arguments_are_named(photos, arguments, message):
    good = {"images": photos, "kind": "jpeg", "level": 1}
    with pytest.raises(ValueError, match=message):
        corrupt(**{**good, **arguments})
