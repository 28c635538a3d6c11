import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.robustness.attacks import GradientAttack, fgsm, pgd
from keras_csg.robustness.attacks.gradient_attack import label_losses
from keras_csg.robustness.distance import distances
from tests.robustness.hand_made import SIDE, colour_classifier, coloured
from tests.tiny import tiny_classifier, tiny_data

EPSILON = 8 / 255


def test_fgsm_steps_away_from_the_label_by_epsilon():
    """Red is the label, the others gain: -8 red, +8 green and blue."""
    model = colour_classifier(gated=False)
    found = fgsm(model)(coloured([100, 100, 100]), [0], EPSILON)
    assert_allclose(found.images, coloured([92, 108, 108]), atol=1e-4)
    assert not found.zero_gradient.any()


def test_targeted_steps_towards_the_label():
    model = colour_classifier(gated=False)
    found = fgsm(model, targeted=True)(coloured([100] * 3), [0], EPSILON)
    assert_allclose(found.images, coloured([108, 92, 92]), atol=1e-4)


def test_an_l2_step_has_the_length_and_direction_of_the_gradient():
    model = colour_classifier(gated=False)
    images = coloured([100, 100, 100])
    found = fgsm(model, norm="l2")(images, [0], 0.1)
    # Equal logits: the gradient is (-2, 1, 1) / 3 in each of four pixels.
    step = 0.1 * 255 * np.array([-2, 1, 1]) / np.sqrt(6 * SIDE**2)
    assert_allclose(found.images - images, coloured(step), atol=1e-3)


def test_images_stay_in_range():
    model = colour_classifier(gated=False)
    found = fgsm(model)(coloured([3, 250, 0]), [0], EPSILON)
    assert_allclose(found.images, coloured([0, 255, 8]), atol=1e-4)


@pytest.mark.parametrize("norm, epsilon", [("linf", EPSILON), ("l2", 0.3)])
def test_pgd_stays_within_epsilon_and_gains_more_than_chance(norm, epsilon):
    model = tiny_classifier()
    images, labels = tiny_data(40)
    attack = pgd(model, norm=norm)
    found = attack(images, labels, epsilon)
    away = distances(found.images, images).of(norm)
    assert away.max() <= epsilon * (1 + 1e-4) and away.min() > epsilon / 2
    assert found.images.min() >= 0 and found.images.max() <= 255
    noise = GradientAttack(model, norm=norm, steps=1)(
        images, labels, epsilon, step_size=0.0
    )
    plain, random, strong = (
        loss_of(model, x, labels) for x in (images, noise.images, found.images)
    )
    assert strong > random and strong > plain


def loss_of(model, images, labels):
    return float(
        keras.ops.mean(
            keras.losses.sparse_categorical_crossentropy(
                labels, model(images), from_logits=True
            )
        )
    )


def test_one_step_of_pgd_without_a_random_start_is_fgsm():
    model = tiny_classifier()
    images, labels = tiny_data(5)
    own = GradientAttack(model, steps=1, random_start=False)
    assert_array_equal(
        own(images, labels, EPSILON).images,
        fgsm(model)(images, labels, EPSILON).images,
    )


def test_an_image_is_attacked_alike_whatever_stands_beside_it():
    model = tiny_classifier()
    images, labels = tiny_data(6)
    attack = pgd(model, seed=3)
    together = attack(images, labels, EPSILON, np.arange(6)).images
    alone = attack(images[4:], labels[4:], EPSILON, np.array([4, 5])).images
    assert_allclose(together[4:], alone, atol=0.3)
    other = pgd(model, seed=4)(images, labels, EPSILON, np.arange(6)).images
    assert np.abs(other - together).max() > 1


def test_the_class_specific_head_can_be_attacked_itself():
    """Its filters for class 0 are red alone; green is no evidence there."""
    model = colour_classifier([[2, 0], [1, 0], [0, 2]])
    model.gate.gate_matrix.assign([[1, 0, 0], [0, 1, 1]])
    images = coloured([100, 100, 100])
    standard = fgsm(model)(images, [0], EPSILON).images
    specific = fgsm(model, head="class_specific")(images, [0], EPSILON).images
    assert_allclose(standard, coloured([92, 92, 108]), atol=1e-4)
    # Green has no weight for class 1 either: its gradient is zero.
    assert_allclose(specific, coloured([92, 100, 108]), atol=1e-4)


def test_the_class_specific_head_needs_a_gate():
    with pytest.raises(ValueError, match="no gate"):
        fgsm(colour_classifier(gated=False), head="class_specific")


def test_several_classes_are_each_driven_from_what_they_are():
    model = colour_classifier(gated=False, multi_label=True)
    labels = np.array([[1, 0, 1]], "float32")
    found = fgsm(model)(coloured([100] * 3), labels, EPSILON)
    assert_allclose(found.images, coloured([92, 108, 92]), atol=1e-4)
    towards = fgsm(model, targeted=True)(coloured([100] * 3), labels, EPSILON)
    assert_allclose(towards.images, coloured([108, 92, 108]), atol=1e-4)


def test_a_constant_network_is_said_to_have_no_gradient():
    model = colour_classifier(np.zeros((3, 3)), gated=False)
    images = coloured([100] * 3, [1, 2, 3])
    found = pgd(model)(images, [0, 1], EPSILON)
    assert found.zero_gradient.all()
    assert_array_equal(found.images, images)


def test_a_network_that_is_sure_is_attacked_as_any_other():
    """Its cross-entropy is 0 in float32, and so is the gradient of that."""
    model = colour_classifier(255 * np.eye(3), gated=False)
    images = coloured([255, 0, 0])
    assert loss_of(model, images, np.array([0])) == 0
    for attack in (fgsm(model), fgsm(model, norm="l2")):
        found = attack(images, [0], EPSILON)
        assert not found.zero_gradient.any()
        assert found.images[0, 0, 0, 0] < 255
        assert found.images[0, 0, 0, 1] > 0 and found.images[0, 0, 0, 2] > 0


def test_losses_are_log_odds_whose_softplus_is_the_cross_entropy():
    logits = np.array([[2.0, 1.0, -1.0], [40.0, 0.0, -40.0]], "float32")
    labels = np.array([1, 0])
    odds = label_losses(False, labels, keras.ops.convert_to_tensor(logits))
    assert_allclose(odds, [np.log(np.exp(2) + np.exp(-1)) - 1, -40], rtol=1e-6)
    assert_allclose(
        np.logaddexp(0, np.asarray(odds)[0]),
        keras.losses.sparse_categorical_crossentropy(
            labels, logits, from_logits=True
        )[0],
        rtol=1e-6,
    )


def test_losses_of_several_classes_are_binary_cross_entropies():
    logits = np.array([[2.0, -3.0, 0.5]], "float32")
    labels = np.array([[1.0, 0.0, 0.0]], "float32")
    wanted = keras.losses.binary_crossentropy(labels, logits, from_logits=True)
    found = label_losses(True, labels, keras.ops.convert_to_tensor(logits))
    assert_allclose(found, 3 * np.asarray(wanted), rtol=1e-6)


def test_half_precision_computes_a_step(monkeypatch):
    keras.config.set_dtype_policy("mixed_float16")
    model = tiny_classifier()
    images, labels = tiny_data(4)
    found = fgsm(model)(images, labels, EPSILON)
    assert found.images.dtype == np.float32
    assert distances(found.images, images).linf.max() <= EPSILON + 1e-6


def test_gradients_that_are_not_finite_are_no_direction():
    model = colour_classifier(gated=False, scale=1e38)
    found = fgsm(model)(coloured([100] * 3), [0], EPSILON)
    assert found.zero_gradient.all() and np.isfinite(found.images).all()


ELSEWHERE = """
import numpy as np
from keras_csg.robustness.attacks import AdaptiveAttack, fgsm, pgd
from tests.robustness.hand_made import (
    RedDetector, coloured, colour_classifier,
)

model = colour_classifier(gated=False)
images = coloured([100, 100, 100], [3, 250, 0])
found = fgsm(model)(images, np.array([0, 0]), 8 / 255)
print(*np.rint(found.images[:, 0, 0]).astype(int).reshape(-1))
found = pgd(model, norm="l2")(images, np.array([0, 1]), 0.1)
print(found.zero_gradient.any(), np.isfinite(found.images).all())
flat = colour_classifier(np.zeros((3, 3)), gated=False)
print(fgsm(flat)(images, np.array([0, 1]), 0.1).zero_gradient.all())
knowing = AdaptiveAttack(model, RedDetector(105 / 255))
found = knowing(coloured([100, 110, 100]), np.array([1]), 20 / 255)
print(found.images[0, 0, 0, 0] <= 105)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_step_alike(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    assert lines == [
        "92 108 108 0 255 8",
        "False True",
        "True",
        "True",
    ], done.stderr
