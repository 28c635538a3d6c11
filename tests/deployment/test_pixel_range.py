"""Pixels that a model was not trained on the like of are refused."""

import numpy as np
import pytest

from keras_csg.deployment.classifier_answers import ClassifierAnswers
from keras_csg.deployment.pixel_range import fault_of_range, looks_scaled
from tests.deployment.trained import some_images, trained_classifier

INPUT = {"range": [0, 255]}


@pytest.mark.parametrize(
    "low, high, fits",
    [
        (0, 255, True),
        (-0.9, 255.9, True),
        (-1.5, 255, False),
        (0, 257, False),
        (300, 555, False),
    ],
)
def test_one_level_is_left_to_rounding(low, high, fits):
    images = np.linspace(low, high, 12, dtype="float32").reshape(1, 2, 2, 3)
    fault = fault_of_range(images, INPUT)
    assert (fault is None) == fits
    assert fits or "0..255" in fault
    assert fault_of_range(images, {}) is None  # Nobody knows it.
    scaled = {"range": [-1, 1]}
    assert fault_of_range(images / 127.5 - 1, scaled) is None or not fits


def test_images_in_0_to_1_look_scaled():
    images = some_images() / 255
    assert looks_scaled(images, INPUT)
    assert not looks_scaled(some_images(), INPUT)
    assert not looks_scaled(0 * images, INPUT)
    assert not looks_scaled(np.ones((1, 2, 2, 3), "uint8"), INPUT)
    assert not looks_scaled(images, {}) and not looks_scaled(
        images, {"range": [0, 1]}
    )


def test_who_asks_for_other_pixels_is_told_the_range():
    answers = ClassifierAnswers(trained_classifier(), False)
    assert answers.metadata.input["range"] == [0, 255]
    answers.answer(some_images())
    with pytest.raises(
        ValueError, match=r"`images` must be in 0\.\.255.*Received: 3"
    ):
        answers.answer(some_images() + 300)
