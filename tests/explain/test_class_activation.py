import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.explain import class_activation_map
from keras_csg.metrics.resizing import resize_maps
from tests.explain.hand_made import channel_classifier, image_of_cells

RED = [[4.0, 0.0], [0.0, 0.0]]
GREEN = [[0.0, 1.0], [0.0, 0.0]]
BLUE = [[0.0, 0.0], [0.0, 2.0]]


@pytest.fixture
def image():
    return image_of_cells(RED, GREEN, BLUE)


@pytest.mark.parametrize(
    "gated, label, cells",
    [
        (False, 0, [[4.0, 0.0], [0.0, -2.0]]),  # red - blue
        (False, 1, [[0.0, 2.0], [0.0, 1.0]]),  # 2 green + blue / 2
        (True, 0, [[4.0, 0.0], [0.0, -0.5]]),  # a quarter of blue's weight
        (True, 1, [[0.0, 2.0], [0.0, 1.0]]),
    ],
)
def test_cam_by_hand(image, gated, label, cells):
    model = channel_classifier()
    cam = class_activation_map(model, image, np.array([label]), gated=gated)
    assert_allclose(cam, resize_maps([cells], (4, 4)), atol=1e-6)


def test_the_mean_of_a_cam_is_the_logit():
    model = channel_classifier()
    images = np.random.default_rng(0).random((5, 4, 4, 3)).astype("float32")
    cams = [
        class_activation_map(model, images, np.full(5, c), gated=False)
        for c in range(2)
    ]
    logits = np.stack([cam.mean(axis=(1, 2)) for cam in cams], axis=-1)
    assert_allclose(logits, model(images), atol=1e-5)


def test_the_predicted_class_is_the_default(image):
    model = channel_classifier()
    # Logits: (4 - 2) / 4 and (2 + 1) / 4.
    assert_allclose(
        class_activation_map(model, image),
        class_activation_map(model, image, np.array([1])),
    )


def test_batches_make_no_difference():
    model = channel_classifier()
    images = np.random.default_rng(0).random((5, 4, 4, 3)).astype("float32")
    assert_allclose(
        class_activation_map(model, images, batch_size=2),
        class_activation_map(model, images, batch_size=5),
        atol=1e-6,
    )


def test_a_model_without_a_gate_has_no_gated_maps(image):
    model = channel_classifier(gated=False)
    with pytest.raises(ValueError, match="`gated=False`"):
        class_activation_map(model, image)
    assert class_activation_map(model, image, gated=False).shape == (1, 4, 4)


@pytest.mark.parametrize(
    "images", [np.zeros((4, 4, 3)), np.zeros((0, 4, 4, 3)), np.zeros((1, 4, 4))]
)
def test_images_must_be_images(images):
    with pytest.raises(ValueError, match="Received: images.shape="):
        class_activation_map(channel_classifier(), images)


@pytest.mark.parametrize(
    "classes, message",
    [
        (np.array([0, 1]), "one per image"),
        (np.array([0.0]), "dtype=float64"),
        (np.array([2]), r"in \[0, 2\)"),
        (np.array([-1]), r"in \[0, 2\)"),
    ],
)
def test_classes_must_be_classes(image, classes, message):
    with pytest.raises(ValueError, match=message):
        class_activation_map(channel_classifier(), image, classes)
