"""How files become pixels, and boxes and networks with them."""

import struct
import zlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

import keras_csg
from keras_csg.data.image_reading import ImageReading
from keras_csg.data.sample_range import sample_range


def wide_image(path):
    """Left half red, right half green, 80 by 40."""
    pixels = np.zeros((40, 80, 3), "uint8")
    pixels[:, :40, 0] = pixels[:, 40:, 1] = 255
    Image.fromarray(pixels).save(path)
    return path


def test_padding_keeps_everything(tmp_path):
    path = wide_image(tmp_path / "wide.png")
    image = ImageReading("pad", "#102030").decode(path, (20, 20))
    assert_array_equal(image[:5], np.full((5, 20, 3), (0x10, 0x20, 0x30)))
    assert_array_equal(image[15:], np.full((5, 20, 3), (0x10, 0x20, 0x30)))
    assert_array_equal(image[5:15, :9], np.full((10, 9, 3), (255, 0, 0)))
    assert_array_equal(image[5:15, 11:], np.full((10, 9, 3), (0, 255, 0)))


def test_squashing_keeps_everything_but_the_aspect(tmp_path):
    path = wide_image(tmp_path / "wide.png")
    image = ImageReading("squash").decode(path, (20, 20))
    assert_array_equal(image[:, :8], np.full((20, 8, 3), (255, 0, 0)))
    assert_array_equal(image[:, 12:], np.full((20, 8, 3), (0, 255, 0)))


@pytest.mark.parametrize("resize", ["crop", "pad", "squash"])
@pytest.mark.parametrize("shape", [(40, 80), (90, 30), (17, 17)])
def test_boxes_move_as_their_images_do(tmp_path, resize, shape):
    """A white box in a black image, found again among the pixels."""
    height, width = shape
    box = np.array([0.3 * width, 0.4 * height, 0.6 * width, 0.7 * height])
    x0, y0, x1, y1 = box.round().astype(int)
    pixels = np.zeros((*shape, 3), "uint8")
    pixels[y0:y1, x0:x1] = 255
    Image.fromarray(pixels).save(tmp_path / "x.png")
    reading = ImageReading(resize, "black")
    shown = reading.decode(tmp_path / "x.png", (60, 60))[..., 0] > 127
    (moved,) = reading.fit_boxes([[x0, y0, x1, y1]], [shape], (60, 60))
    rows, columns = shown.any(axis=1).nonzero()[0], shown.any(0).nonzero()[0]
    found = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert_allclose(moved, found, atol=1)


def test_what_is_transparent_has_the_background(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "x.png")
    image = ImageReading(background="#ff8000").decode(
        tmp_path / "x.png", (8, 8)
    )
    assert_array_equal(image, np.full((8, 8, 3), (255, 128, 0)))


@pytest.mark.parametrize(
    "kwargs, named",
    [
        ({"resize": "stretch"}, "resize='stretch'"),
        ({"background": "whiet"}, "background='whiet'"),
        ({"background": 3}, "background=3"),
        ({"white_level": 0}, "white_level=0"),
        ({"white_level": 2**63}, "white_level=9223372036854775808"),
        ({"max_pixels": True}, "max_pixels=True"),
    ],
)
def test_mistakes_are_named(kwargs, named):
    with pytest.raises(ValueError, match=named):
        ImageReading(**kwargs)


def sixteen_bits(path, value, shape=(8, 8)):
    pixels = np.full(shape, value, "uint16")
    Image.fromarray(pixels).save(path)
    return path


def with_significant_bits(path, bits):
    """Adds the chunk in which a PNG file says how many bits count."""
    data = path.read_bytes()
    head = 8 + 4 + 4 + 13 + 4  # The signature, and the chunk IHDR.
    body = b"sBIT" + bytes([bits])
    chunk = struct.pack(">I", 1) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:head] + chunk + data[head:])


def test_sixteen_bits_are_scaled_by_what_the_file_says(tmp_path):
    path = sixteen_bits(tmp_path / "x.png", 2048)
    assert ImageReading().decode(path, (8, 8))[0, 0, 0] == 8
    assert ImageReading(white_level=4095).decode(path, (8, 8))[0, 0, 0] == 128
    with_significant_bits(path, 12)
    with Image.open(path) as file:
        assert sample_range(file) == 4095
    assert ImageReading().decode(path, (8, 8))[0, 0, 0] == 128


def test_tiff_says_so_by_a_tag(tmp_path):
    image = Image.fromarray(np.full((8, 8), 512, "uint16"))
    image.save(tmp_path / "x.tif", tiffinfo={281: 1023})
    pixels = ImageReading().decode(tmp_path / "x.tif", (8, 8))
    assert pixels[0, 0, 0] == 128


def test_a_folder_shows_how_many_bits_it_uses(tmp_path):
    for name, value in (("dark", 1000), ("light", 4000)):
        (tmp_path / name).mkdir()
        for number in range(8):
            sixteen_bits(tmp_path / name / f"{number}.png", value + number)
    lines = []
    data = keras_csg.load_data(tmp_path, log=lines.append)
    assert data.reading.white_level == 4095
    assert any("reach 4,007: 4,095 is taken for white" in s for s in lines)
    images, labels = data.test.images_and_labels()
    assert_allclose(images[labels == 0].mean(), 62, atol=1)
    given = keras_csg.load_data(tmp_path, white_level=65535)
    assert given.test.images_and_labels()[0].max() == 16


def test_more_pixels_than_allowed_count_as_broken(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(60):
            colour = (number, 0, ord(name))
            path = tmp_path / name / f"{number}.png"
            Image.new("RGB", (8, 8), colour).save(path)
    Image.new("RGB", (200, 100)).save(tmp_path / "a" / "large.png")
    data = keras_csg.load_data(tmp_path, max_pixels=19_999)
    assert [path[-9:] for path in data.skipped] == ["large.png"]


def test_telephones_photographs_are_read(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    for name, colour in (("a", (250, 0, 0)), ("b", (0, 0, 250))):
        (tmp_path / name).mkdir()
        for number in range(8):
            image = Image.new("RGB", (40, 40), colour)
            image.paste((255, 255, 255), (0, 0, 2 + number, 2))
            heif.from_pillow(image).save(tmp_path / name / f"{number}.heic")
    data = keras_csg.load_data(tmp_path, image_size=16)
    images, labels = data.test.images_and_labels()
    assert_allclose(images[labels == 0].mean((0, 1, 2)), (250, 0, 0), atol=12)


@pytest.mark.parametrize(
    "kind, low, high, white",
    [
        ("float32", 0.0, 0.98, 1),
        ("float32", 0.0, 200.0, 255),
        ("float32", -1000.0, 3000.0, 4095),
        ("float32", 0.0, 40_000.0, 65_535),
        ("float32", -0.1, 1.05, 1),
        ("float32", 0.0, 1e10, 2**34 - 1),
        ("int32", 0, 100_000, 131_071),
    ],
)
def test_floats_and_32_bits_go_by_the_range_of_the_set(
    tmp_path, kind, low, high, white
):
    """Whatever is below 0 is black."""
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(6):
            pixels = np.full((8, 8), high / 2, kind)
            pixels[0, :] = low
            pixels[1, 0] = number * high / 50
            pixels[4, 4] = high if name == "a" else high / 2
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.tif")
    lines = []
    data = keras_csg.load_data(tmp_path, log=lines.append)
    assert data.reading.white_level == white
    assert any(f"{white:,} is taken for white" in line for line in lines)
    images, _ = data.train.images_and_labels()
    assert images[0, 0, 1, 0] == 0 and images[0, 3, 3, 0] == round(
        high / 2 / white * 255
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_files_with_pixels_that_are_no_numbers_are_broken(tmp_path, value):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(60):
            pixels = np.full((8, 8), number / 60, "float32")
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.tif")
    broken = tmp_path / "a" / "3.tif"
    pixels[3, 4] = value
    Image.fromarray(pixels).save(broken)
    reading = ImageReading()
    with pytest.raises(ValueError, match="pixels that are NaN or infinite"):
        reading.decode(broken, (8, 8))
    assert not reading.is_whole(broken)
    assert reading.why_broken(broken) == (
        "it has pixels that are NaN or infinite"
    )
    for cache in (True, False):
        data = keras_csg.load_data(tmp_path, cache=cache)
        assert data.skipped == [str(broken)]
