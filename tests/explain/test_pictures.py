import numpy as np
import pytest
from PIL import Image

from keras_csg.data.image_reading import ImageReading
from keras_csg.explain.pictures import Picture, picture_of_array
from keras_csg.metrics.resizing import resize_maps


def picture(size, box):
    return Picture("one", size, box, lambda: np.zeros((*size, 3), "uint8"))


def test_maps_spread_as_they_are_resized():
    maps = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    spread = picture((30, 50), (0, 0, 50, 30)).spread(maps)
    np.testing.assert_allclose(spread, resize_maps(maps, (30, 50)), rtol=1e-5)


def test_maps_lie_where_the_network_looked():
    spread = picture((4, 8), (2, 0, 6, 4)).spread(np.ones((2, 2)))
    assert np.isnan(spread[:, [0, 1, 6, 7]]).all()
    assert (spread[:, 2:6] == 1).all()


@pytest.mark.parametrize("resize", ["crop", "pad", "squash"])
@pytest.mark.parametrize("size", [(40, 90), (90, 40), (64, 64)])
def test_what_the_network_saw_is_where_the_box_says(resize, size):
    """A bright spot has its place in the network's image under the box."""
    reading = ImageReading(resize=resize, background="black")
    pixels = np.zeros((*size, 3), "uint8")
    row, column = size[0] // 2 + 5, size[1] // 2 - 7
    pixels[row - 1 : row + 2, column - 1 : column + 2] = 255
    seen = np.asarray(reading.fit(Image.fromarray(pixels), (32, 32)))
    x0, y0, x1, y1 = reading.field_of_view(size, (32, 32))
    spread = picture(size, (x0, y0, x1, y1)).spread(seen[..., 0])
    weights = np.nan_to_num(spread)
    rows, columns = np.indices(size)
    assert np.average(rows, weights=weights) == pytest.approx(row, abs=0.6)
    assert np.average(columns, weights=weights) == pytest.approx(
        column, abs=0.6
    )


def test_the_field_of_view_undoes_what_boxes_go_through():
    for resize in ("crop", "pad", "squash"):
        reading = ImageReading(resize=resize)
        box = reading.field_of_view((60, 100), (32, 48))
        corners = reading.fit_boxes([box], [(60, 100)], (32, 48))
        np.testing.assert_allclose(corners, [[0, 0, 48, 32]], atol=1e-9)


def test_small_pictures_are_enlarged_and_large_ones_are_not():
    small = picture((32, 40), (0, 0, 40, 32)).enlarged()
    assert small.size == (256, 320) and small.pixels.shape == (256, 320, 3)
    assert small.box == (0, 0, 320, 256)
    large = picture((300, 400), (50, 0, 350, 300))
    assert large.enlarged() is large
    assert large.within(100).size == (75, 100)
    assert large.within(100).box == (12.5, 0, 87.5, 75)


def test_an_array_is_a_picture_of_itself():
    found = picture_of_array(np.full((2, 3, 3), 7.6), "one")
    assert found.box == (0, 0, 3, 2)
    assert (found.pixels == 8).all()


@pytest.mark.parametrize(
    "size, box, wanted, seen, words",
    [
        ((20, 3000), (1490, 0, 1510, 20), (20, 80), (30, 0, 50, 20), "cut to"),
        ((3000, 20), (0, 0, 20, 20), (80, 20), (0, 0, 20, 20), "cut to"),
        (
            (20, 3000),
            (0, 0, 3000, 20),
            (750, 3000),
            (0, 0, 3000, 750),
            "stretched",
        ),
        ((20, 3000), (0, -1490, 3000, 1510), (750, 3000), None, "stretched"),
        ((20, 80), (30, 0, 50, 20), (20, 80), (30, 0, 50, 20), ""),
    ],
)
def test_a_strip_is_cut_or_stretched_to_be_seen(size, box, wanted, seen, words):
    found, said = picture(size, box).no_strip()
    assert found.size == wanted == found.pixels.shape[:2]
    assert seen is None or found.box == pytest.approx(seen)
    assert said.startswith(words) and bool(said) == bool(words)
