"""Which statistics a finished run keeps."""

import types

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from keras_csg.training.final_statistics import keep_better_statistics
from tests.tiny import tiny_classifier, tiny_data

AUGMENTED = 0.5
"""What the stand-in's augmentation multiplies images by."""


class Split:
    """Images that no augmentation changes but by a factor."""

    def __init__(self):
        self.images, self.labels = tiny_data()

    def training_batches(
        self, batch_size, *, seed, augmentation="none", sampling="uniform"
    ):
        factor = 1.0 if augmentation == "none" else AUGMENTED
        yield self.images * factor, self.labels

    def batches(self, batch_size):
        return [(self.images, self.labels)]


def keep(model, monkeypatch, figures, augmentation="crop"):
    """Returns what is told where the validation has these figures."""
    answers = iter(figures)
    monkeypatch.setattr(model, "evaluate", lambda *_, **__: next(answers))
    split = Split()
    lines = []
    accuracy = keep_better_statistics(
        model,
        types.SimpleNamespace(train=split, validation=split),
        batch_size=len(split.labels),
        augmentation=augmentation,
        log=lines.append,
    )
    assert next(answers, None) is None
    return accuracy, lines


def assert_measured_on(model, factor):
    conv = model.backbone.get_layer("conv")
    given = keras.Model(model.backbone.inputs, conv.output).predict(
        Split().images * factor, verbose=0
    )
    mean, variance = model.backbone.get_layer("norm").get_weights()[-2:]
    assert_allclose(mean, given.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-6)
    assert_allclose(variance, given.var(axis=(0, 1, 2)), rtol=1e-4)


def both(accuracy, class_specific):
    return {"accuracy": accuracy, "class_specific_accuracy": class_specific}


@pytest.mark.parametrize(
    ("augmented", "plain", "factor", "better"),
    [
        (both(0.9, 0.8), both(0.8, 0.8), AUGMENTED, "augmented"),
        (both(0.9, 0.8), both(0.9, 0.8), AUGMENTED, "augmented"),
        (both(0.9, 0.6), both(0.8, 0.8), 1.0, "plain"),
    ],
)
def test_the_validation_split_decides(
    monkeypatch, augmented, plain, factor, better
):
    model = tiny_classifier()
    accuracy, (line,) = keep(model, monkeypatch, [augmented, plain])
    assert_measured_on(model, factor)
    assert f"those of {better} images" in line
    assert accuracy == {
        "augmented": pytest.approx(sum(augmented.values()) / 2),
        "plain": pytest.approx(sum(plain.values()) / 2),
    }


def test_a_standard_network_has_one_accuracy(monkeypatch):
    model = tiny_classifier(gated=False)
    keep(model, monkeypatch, [{"accuracy": 0.7}, {"accuracy": 0.8}])
    assert_measured_on(model, 1.0)


def test_without_augmentation_there_is_nothing_to_choose(monkeypatch):
    model = tiny_classifier()
    assert keep(model, monkeypatch, [], augmentation="none") == ({}, [])
    assert_measured_on(model, 1.0)


def test_nothing_is_measured_of_a_network_that_rests(monkeypatch):
    model = tiny_classifier()
    model.backbone.trainable = False
    before = model.backbone.get_layer("norm").get_weights()
    assert keep(model, monkeypatch, []) == ({}, [])
    for old, new in zip(
        before, model.backbone.get_layer("norm").get_weights(), strict=True
    ):
        assert_array_equal(old, np.asarray(new))
