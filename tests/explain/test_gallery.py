import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg.data.annotated_images import AnnotatedImages
from keras_csg.explain import MAPS, class_activation_map, map_gallery
from tests.tiny import tiny_classifier, tiny_data


@pytest.mark.parametrize(
    "samples, chosen",
    [(4, [0, 1, 2, 3]), (7, [0, 2, 4, 6]), (12, [0, 3, 6, 9])],
)
def test_some_images_are_chosen_with_masks_and_names(samples, chosen):
    model = tiny_classifier(class_names=list("abcd"))
    images, labels = tiny_data(samples)
    masks = np.random.default_rng(0).random((samples, 8, 8)) < 0.5
    annotated = AnnotatedImages(images, labels, masks)
    gallery = map_gallery(model, annotated, most=4)
    assert_array_equal(gallery.images, images[chosen])
    assert_array_equal(gallery.masks, masks[chosen])
    assert gallery.titles == ["abcd"[label] for label in labels[chosen]]
    assert list(gallery.maps) == [f"gated {name}" for name in MAPS]
    assert_array_equal(
        gallery.maps["gated cam"],
        class_activation_map(model, images[chosen], labels[chosen]),
    )


def test_without_gate_masks_and_names():
    model = tiny_classifier(gated=False)
    images, labels = tiny_data(3)
    gallery = map_gallery(model, AnnotatedImages(images, labels, None))
    assert list(gallery.maps) == list(MAPS)
    assert gallery.masks is None
    assert gallery.titles == [str(label) for label in labels]
