import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from keras_csg import load_data
from keras_csg.data import load_annotated
from keras_csg.data.sources.shape_outlines import OUTLINES
from keras_csg.data.sources.shapes import CLASS_NAMES, make_shapes


def test_a_seed_gives_the_same_images_and_another_one_others():
    first, again = (make_shapes(30, (16, 16), seed=3) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert_array_equal(one, other)
    assert not np.array_equal(first.images, make_shapes(30, (16, 16)).images)


def test_any_size():
    shapes = make_shapes(20, (24, 40))
    assert shapes.images.shape == (20, 24, 40, 3)
    assert shapes.images.dtype == np.uint8
    assert shapes.masks.shape == (20, 24, 40) and shapes.masks.dtype == bool
    assert_array_equal(np.bincount(shapes.labels), [2] * 10)


def test_a_mask_is_one_piece_that_does_not_touch_the_border():
    masks = make_shapes(100, (64, 64)).masks
    pieces = [ndimage.label(mask, np.ones((3, 3)))[1] for mask in masks]
    assert set(pieces) == {1}
    border = np.ones((64, 64), bool)
    border[1:-1, 1:-1] = False
    assert (masks[:, border].sum(axis=1) < 12).all()
    areas = masks.mean(axis=(1, 2))
    assert 0.02 < areas.min() and areas.max() < 0.5


def test_holes_tell_rings_and_frames():
    shapes = make_shapes(100, (64, 64))
    for mask, label in zip(shapes.masks, shapes.labels, strict=True):
        hollow = ndimage.binary_fill_holes(mask).sum() > mask.sum()
        assert hollow == (CLASS_NAMES[label] in ("frame", "ring"))


def test_the_object_stands_out_in_every_channel():
    images, _, masks = make_shapes(50, (32, 32))
    for image, mask in zip(images.astype(float), masks, strict=True):
        inside, outside = image[mask].mean(axis=0), image[~mask].mean(axis=0)
        assert np.abs(inside - outside).min() > 30


def test_colour_does_not_tell_the_class():
    images, labels, masks = make_shapes(2000, (16, 16))
    area = masks.sum(axis=(1, 2))[:, None]
    colours = (images * masks[..., None]).sum(axis=(1, 2)) / area
    means = [colours[labels == label].mean(axis=0) for label in range(10)]
    assert np.std(means, axis=0).max() < 2.5 * colours.std() / np.sqrt(200)


def test_outlines_fit_into_the_unit_circle():
    v, u = np.mgrid[-1.5:1.5:301j, -1.5:1.5:301j]
    for inside in OUTLINES.values():
        shown = inside(u, v)
        assert shown.any()
        assert (u**2 + v**2)[shown].max() <= 1.02**2


def test_it_is_a_data_set_like_any_other():
    data = load_data("shapes", image_size=16)
    assert data.class_names == CLASS_NAMES
    assert data.image_shape == (16, 16, 3)
    sizes = [s.num_examples for s in (data.train, data.validation, data.test)]
    assert sizes == [3600, 400, 1000]
    images, labels = data.test.images_and_labels(5)
    again = load_data("shapes", image_size=16, seed=1).test
    assert_array_equal(images, again.images_and_labels(5)[0])
    assert_array_equal(data.test.class_counts, [100] * 10)


def test_masks_belong_to_their_images():
    data = load_data("shapes", image_size=16)
    images, labels, masks = load_annotated(data, limit=40)
    assert masks.shape == (40, 16, 16)
    every = make_shapes(5000, (16, 16))
    index = {image.tobytes(): i for i, image in enumerate(every.images)}
    numbers = [index[image.tobytes()] for image in images]
    assert_array_equal(every.masks[numbers], masks)
    assert_array_equal(every.labels[numbers], labels)


def test_shapes_have_no_parts():
    data = load_data("shapes", image_size=16)
    with pytest.raises(ValueError, match="Received: part='head'"):
        load_annotated(data, part="head")
    with pytest.raises(ValueError, match="belong to a folder of images"):
        load_annotated(data, masks="masks")
