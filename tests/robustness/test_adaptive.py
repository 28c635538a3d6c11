import numpy as np
from numpy.testing import assert_allclose

from keras_csg.robustness.answers import Asked
from keras_csg.robustness.attacks import AdaptiveAttack
from keras_csg.robustness.attacks.adaptive import DetectorScores
from tests.robustness.hand_made import (
    RedDetector,
    colour_classifier,
    coloured,
)

EPSILON = 20 / 255


def test_scores_are_those_of_the_detector():
    model = colour_classifier()
    scores = DetectorScores(model, RedDetector())
    found = scores(coloured([51, 9, 8], [255, 0, 1]))
    assert_allclose(found, [0.2, 1.0], rtol=1e-5)


def test_it_goes_another_way_where_the_detector_watches():
    """Green is to be taken for another; red is what the detector looks at.

    Blind, it makes red and blue more; 100 + 20 is red enough to be flagged.
    """
    model = colour_classifier(gated=False)
    detector = RedDetector(threshold=105 / 255)
    images, labels = coloured([100, 110, 100]), np.array([1])

    blind = AdaptiveAttack(model, detector, weights=(0.0,))
    found = blind(images, labels, EPSILON).images
    assert Asked(model)(found).logits.argmax() != 1
    assert DetectorScores(model, detector)(found) > detector.threshold_

    knowing = AdaptiveAttack(model, detector)
    found = knowing(images, labels, EPSILON).images
    assert Asked(model)(found).logits.argmax() != 1
    assert DetectorScores(model, detector)(found) <= detector.threshold_
    assert np.abs(found - images).max() <= 20 + 1e-3


def test_misleading_the_network_comes_first():
    """No image is unsuspicious, but wrong is better than right."""
    model = colour_classifier(gated=False)
    detector = RedDetector(threshold=-1)
    images, labels = coloured([100, 110, 100]), np.array([1])
    found = AdaptiveAttack(model, detector)(images, labels, EPSILON).images
    assert Asked(model)(found).logits.argmax() != 1
    # And of those that are wrong, the least red.
    assert found[..., 0].max() < 100


def test_it_can_aim_at_a_class():
    model = colour_classifier(gated=False)
    detector = RedDetector(threshold=105 / 255)
    attack = AdaptiveAttack(model, detector, targeted=True)
    found = attack(coloured([100, 110, 100]), np.array([2]), EPSILON)
    assert Asked(model)(found.images).logits.argmax() == 2


def test_without_a_gradient_nothing_was_tried():
    model = colour_classifier(np.zeros((3, 3)), gated=False)

    class Blind(RedDetector):
        def gate_score(self, maps, features, logits, specific_logits):
            assert specific_logits is None and maps.shape[1:] == (2, 2, 3)
            return 0 * features[:, 0]

    found = AdaptiveAttack(model, Blind())(
        coloured([100, 110, 100]), np.array([1]), EPSILON
    )
    assert found.zero_gradient.all()
