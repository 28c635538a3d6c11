"""Files of many kinds become RGB pixels."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from keras_csg.data import image_files
from keras_csg.data.image_reading import PLAIN, ImageReading


def test_a_panorama_is_no_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    path = tmp_path / "wide.png"
    Image.new("RGB", (400, 60), (9, 80, 200)).save(path)
    assert_array_equal(PLAIN.decode(path, (4, 4))[0, 0], (9, 80, 200))
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(ValueError, match="400x60 pixels, more than .* 20,000"):
        ImageReading(max_pixels=20_000).decode(path, (4, 4))


def test_resizing_keeps_the_aspect_and_the_centre(tmp_path):
    pixels = np.zeros((40, 80, 3), "uint8")
    pixels[:, 20:40, 0] = 255
    pixels[:, 40:60, 1] = 255
    path = tmp_path / "wide.png"
    Image.fromarray(pixels).save(path)
    image = PLAIN.decode(path, (10, 10))
    # The middle square of it, left half red, right half green; where colours
    # meet they mix.
    assert_allclose(image[:, 1:4], [[[255, 0, 0]] * 3] * 10, atol=1)
    assert_allclose(image[:, 6:9], [[[0, 255, 0]] * 3] * 10, atol=1)
    assert image[..., :2].sum(-1).min() > 200


@pytest.mark.parametrize(
    "mode, value, expected",
    [
        ("L", 90, (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("LA", (90, 51), (222, 222, 222)),
        ("RGBA", (9, 80, 200, 255), (9, 80, 200)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (5, 80, 200, 51), (205, 220, 244)),
        ("I;16", 90 * 256, (90, 90, 90)),
        ("P", 7, (255, 255, 255)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, value, expected):
    image = Image.new(mode, (8, 8), value)
    if mode == "P":
        image.putpalette([9, 80, 200] * 256)
        image.info["transparency"] = bytes([0] * 256)
    image.save(tmp_path / "x.png")
    pixels = PLAIN.decode(tmp_path / "x.png", (8, 8))
    assert_array_equal(pixels, np.full((8, 8, 3), expected))


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (8, 8), (255, 0, 0, 0)).save(tmp_path / "x.jpg")
    pixels = PLAIN.decode(tmp_path / "x.jpg", (8, 8))
    assert_allclose(pixels, np.full((8, 8, 3), (0, 255, 255)), atol=3)


def test_long_work_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(image_files, "TELL_SECONDS", 0.05)
    told = []
    items = range(40)
    done = image_files.in_threads(
        lambda item: time.sleep(0.02) or item, items, told.append
    )
    assert done == list(items)
    assert told == sorted(told) and 0 < told[0] <= told[-1] <= 40
