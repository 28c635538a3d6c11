"""The browser's resizing beside Pillow's, number by number."""

import numpy as np
import pytest
from PIL import Image

from keras_csg.data.image_reading import ImageReading
from tests.deployment.web.node import run_in_node

SCRIPT = """
import { fieldOfView, read, sizeFor } from "./reading.js";
const answer = value.map(({ file, picture, shape, resize, background }) => {
  const pixels = fs.readFileSync(file);
  const length = picture.width * 4;
  const rows = (first, count) =>
    pixels.subarray(first * length, (first + count) * length);
  const size = sizeFor(shape, picture);
  const image = read(rows, picture, size, { resize, background });
  fs.writeFileSync(`${file}.read`, image);
  return [size, fieldOfView(resize, picture, size)];
});
"""
# Heights and widths: of pictures, and of what the network sees.
PICTURES = [(1, 1), (32, 32), (37, 53), (100, 40), (480, 641), (3, 700), (8, 8)]
SIZES = [(32, 32), (224, 224), (64, 96), (97, 31), (1, 1), (8, 8)]
BACKGROUND = "#0a64c8"


def picture(height, width):
    """Noise with edges, in which every wrong weight shows."""
    rng = np.random.default_rng(height * 1000 + width)
    pixels = rng.integers(0, 256, (height, width, 3), "uint8")
    pixels[height // 3 :, : width // 2] //= 8
    return pixels


def write(folder, name, pixels):
    opaque = np.full((*pixels.shape[:2], 1), 255, "uint8")
    (folder / name).write_bytes(np.concatenate([pixels, opaque], -1).tobytes())


def cases(folder):
    for height, width in PICTURES:
        pixels = picture(height, width)
        for rows, columns in SIZES:
            for resize in ("crop", "pad", "squash"):
                name = f"{height}x{width}-{rows}x{columns}-{resize}"
                write(folder, name, pixels)
                yield pixels, (rows, columns), resize, name


def asked(pixels, shape, resize, name):
    height, width = pixels.shape[:2]
    return {
        "file": name,
        "picture": {"height": height, "width": width},
        "shape": [None, *shape, 3],
        "resize": resize,
        "background": [10, 100, 200],
    }


def read_back(folder, name, size):
    given = np.frombuffer((folder / f"{name}.read").read_bytes(), "uint8")
    return given.reshape(*size, 3)


def test_a_browser_resizes_as_pillow_does(tmp_path):
    known = list(cases(tmp_path))
    answers = run_in_node(tmp_path, SCRIPT, [asked(*case) for case in known])
    compared = 0
    for (pixels, size, resize, name), (_, view) in zip(
        known, answers, strict=True
    ):
        reading = ImageReading(resize, BACKGROUND)
        try:
            image = reading.fit(Image.fromarray(pixels), size)
        except ValueError:  # A strip of which no line is left.
            continue
        given = read_back(tmp_path, name, size).astype(int)
        assert np.abs(given - np.asarray(image)).max() <= 1, name
        x0, y0, x1, y1 = reading.field_of_view(pixels.shape[:2], size)
        own = [view["left"], view["top"], view["width"], view["height"]]
        np.testing.assert_allclose(
            own, [x0, y0, x1 - x0, y1 - y0], atol=1e-6, err_msg=name
        )
        compared += 1
    assert compared > 100


@pytest.mark.parametrize(
    "shape, size",
    [
        ((None, None), (427, 640)),
        ((200, None), (200, 300)),
        ((None, 320), (214, 320)),
    ],
)
def test_sides_that_are_open_follow_the_picture(shape, size, tmp_path):
    pixels = picture(427, 640)
    write(tmp_path, "open", pixels)
    case = asked(pixels, shape, "crop", "open")
    ((given, _),) = run_in_node(tmp_path, SCRIPT, [case])
    assert (given["height"], given["width"]) == size
    image = ImageReading().fit(Image.fromarray(pixels), size)
    assert (read_back(tmp_path, "open", size) == np.asarray(image)).all()


def test_a_picture_of_any_size_is_not_taken_at_more_than_1024(tmp_path):
    pixels = picture(20, 3000)
    write(tmp_path, "wide", pixels)
    case = asked(pixels, (None, None), "crop", "wide")
    ((given, _),) = run_in_node(tmp_path, SCRIPT, [case])
    assert given == {"width": 1024, "height": 7}
