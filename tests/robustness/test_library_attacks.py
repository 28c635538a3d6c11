"""Our attacks beside those of the library, and the library's on our model."""

import importlib.util
import sys

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.robustness.answers import Asked
from keras_csg.robustness.attacks import GradientAttack, fgsm
from keras_csg.robustness.attacks.library import LibraryAttack, _estimator
from keras_csg.robustness.attacks.registry import check_attack, create_attack
from keras_csg.robustness.distance import distances
from tests.tiny import tiny_classifier, tiny_data

installed = pytest.mark.skipif(
    importlib.util.find_spec("art") is None,
    reason="adversarial-robustness-toolbox is not installed",
)
quiet = [
    # The library says what else it could be used with.
    pytest.mark.filterwarnings("ignore:PyTorch not found"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def with_library(test):
    for mark in [installed, pytest.mark.slow, *quiet]:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def told():
    """A trained classifier, and images that it tells."""
    keras.utils.set_random_seed(0)
    model = tiny_classifier(gated=False)
    images, labels = tiny_data(200)
    model.compile("adam")
    model.fit(images, labels, epochs=20, verbose=0)
    right = Asked(model)(images).logits.argmax(1) == labels
    return model, images[right][:24], labels[right][:24]


@with_library
@pytest.mark.parametrize("norm, epsilon", [("linf", 4 / 255), ("l2", 0.3)])
def test_fgsm_is_the_librarys(told, norm, epsilon):
    from art.attacks.evasion import FastGradientMethod

    model, images, labels = told
    theirs = FastGradientMethod(
        _estimator(model, "standard"),
        norm=np.inf if norm == "linf" else 2,
        eps=epsilon,
    ).generate(images / 255, np.eye(4)[labels])
    own = fgsm(model, norm=norm)(images, labels, epsilon).images
    assert_allclose(own, theirs * 255, atol=0.01)


@with_library
@pytest.mark.parametrize("norm, epsilon", [("linf", 4 / 255), ("l2", 0.3)])
def test_pgd_is_the_librarys(told, norm, epsilon):
    from art.attacks.evasion import ProjectedGradientDescent

    model, images, labels = told
    theirs = ProjectedGradientDescent(
        _estimator(model, "standard"),
        norm=np.inf if norm == "linf" else 2,
        eps=epsilon,
        eps_step=epsilon / 4,
        max_iter=10,
        verbose=False,
    ).generate(images / 255, np.eye(4)[labels])
    own = GradientAttack(model, norm=norm, random_start=False)(
        images, labels, epsilon
    ).images
    # A gradient that is nearly 0 has either sign.
    assert np.mean(np.abs(own - theirs * 255) > 0.1) < 0.01


@with_library
@pytest.mark.parametrize(
    "method, norm",
    [
        ("apgd", "linf"),
        ("apgd", "l2"),
        ("square", "linf"),
        ("deepfool", "l2"),
        ("cw", "l2"),
    ],
)
def test_the_librarys_attacks_mislead(told, method, norm):
    model, images, labels = told
    images, labels = images[:8], labels[:8]
    epsilon = 0.25 if norm == "linf" else 3.0
    attack = LibraryAttack(model, method, norm=norm)
    state = np.random.get_state()[1].copy()
    found = attack(images, labels, epsilon, np.arange(8))
    assert (np.random.get_state()[1] == state).all()
    assert found.images.min() >= 0 and found.images.max() <= 255
    said = Asked(model)(found.images).logits.argmax(1)
    assert (said != labels).mean() > 0.5
    assert not found.zero_gradient.any()
    if method in ("apgd", "square"):
        away = distances(found.images, images).of(norm)
        assert away.max() <= epsilon * (1 + 1e-4)
    again = attack(images, labels, epsilon, np.arange(8)).images
    assert_allclose(again, found.images, atol=0.1)


@with_library
def test_apgd_aims_at_a_class(told):
    model, images, labels = told
    wanted = (labels + 1) % 4
    attack = create_attack(model, "apgd", norm="linf", targeted=True)
    found = attack(images, wanted, 0.3, np.arange(len(images)))
    said = Asked(model)(found.images).logits.argmax(1)
    assert (said == wanted).mean() > 0.5


@installed
@pytest.mark.parametrize(
    "arguments, message",
    [
        (("deepfool", "linf", False), "`norm` must be l2 for deepfool"),
        (("square", "l2", False), "`norm` must be linf for square"),
        (("deepfool", "l2", True), "`targeted` must be False for deepfool"),
    ],
)
def test_what_an_attack_cannot_do_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_attack(*arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("pdg", "linf", False), "`method` must be one of fgsm, pgd, apgd"),
        (("pgd", "l1", False), "`norm` must be one of linf, l2"),
    ],
)
def test_what_there_is_not_is_said(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_attack(*arguments)


def test_without_the_library_the_way_to_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "art", None)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda x: None if x == "art" else find(x)
    )
    with pytest.raises(ValueError, match=r"pip install 'keras-csg\[attacks\]'"):
        check_attack("apgd", "linf", False)
    check_attack("pgd", "linf", False)


@installed
def test_several_classes_are_for_our_own_attacks():
    model = tiny_classifier(multi_label=True)
    with pytest.raises(ValueError, match="fgsm or"):
        LibraryAttack(model, "apgd", norm="linf")


@installed
def test_images_that_are_no_numbers_are_no_attack(monkeypatch):
    model = tiny_classifier()
    attack = LibraryAttack(model, "square", norm="linf")

    class Broken:
        def generate(self, images, wanted):
            return np.where(np.arange(len(images)) < 1, np.nan, images.T).T

    monkeypatch.setattr(
        "keras_csg.robustness.attacks.library._made", lambda *_: Broken()
    )
    images = np.zeros((3, *model.input_shape[1:]), "float32")
    with pytest.raises(ValueError, match="square .* made 1 of 3 images"):
        attack(images, np.zeros(3, int), 0.1)
