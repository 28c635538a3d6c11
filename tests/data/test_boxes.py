import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from keras_csg.data.boxes import box_masks, cover_pixels
from keras_csg.data.image_reading import PLAIN


def test_a_box_covers_the_pixels_whose_centres_it_holds():
    masks = box_masks([[1, 0, 3, 2], [0.5, 0.6, 1.5, 1.6]], (3, 4))
    assert_array_equal(masks[0], [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert_array_equal(masks[1], [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])


def test_which_boxes_cover_a_pixel():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 6, (200, 2))
    boxes = np.hstack([low, np.minimum(low + rng.uniform(0, 2, (200, 2)), 6)])
    boxes[0] = [0.5, 0.5, 0.5, 0.5]
    covered = box_masks(boxes, (6, 6)).any(axis=(1, 2))
    assert_array_equal(cover_pixels(boxes), covered)
    assert 20 < covered.sum() < 190


def test_boxes_must_have_four_sides():
    with pytest.raises(ValueError, match=r"Received: boxes.shape=\(1, 3\)"):
        box_masks(np.zeros((1, 3)), (2, 2))


@pytest.mark.parametrize(
    "original, box, fitted",
    [
        ((40, 40), [10, 20, 30, 40], [5, 10, 15, 20]),  # halved
        ((40, 60), [10, 20, 40, 40], [0, 10, 15, 20]),  # 10 columns go
        ((60, 40), [10, 20, 30, 40], [5, 5, 15, 15]),  # 10 rows go
        ((40, 60), [0, 0, 9, 40], [0, 0, 0, 20]),  # nothing is left
    ],
)
def test_boxes_follow_their_images(original, box, fitted):
    assert_allclose(PLAIN.fit_boxes([box], [original], (20, 20)), [fitted])


@pytest.mark.parametrize("original", [(90, 60), (60, 90), (64, 64), (50, 77)])
@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_boxes_stay_on_their_objects(tmp_path, original, size):
    """A white rectangle in a file is where its box is, once loaded."""
    pixels = np.zeros((*original, 3), "uint8")
    pixels[20:44, 22:48] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    shown = PLAIN.decode(tmp_path / "a.png", size)[..., 0] > 127
    box = PLAIN.fit_boxes([[22, 20, 48, 44]], [original], size)
    assert (box_masks(box, size)[0] != shown).sum() <= 2
