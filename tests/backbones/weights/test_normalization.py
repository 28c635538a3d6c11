"""Weights that saw other values than the backbone gives them are refused."""

import keras
import numpy as np
import pytest

from keras_csg.backbones.weights import load_weights
from keras_csg.layers import ImageNormalization


def network(*before, size=8, name="net", dtype=None):
    """A convolution behind what normalizes, or is there beside it."""
    x = images = keras.Input((size, size, 3))
    for layer in before:
        x = layer(x)
    x = keras.layers.Conv2D(4, 3, name="conv", dtype=dtype)(x)
    return keras.Model(images, x, name=name)


def rescaling(scale=1 / 255, offset=0.0, **kwargs):
    return keras.layers.Rescaling(scale, offset, **kwargs)


def given_statistics():
    mean, deviation = np.array([123.7, 116.3, 103.5]), [58.4, 57.1, 57.4]
    return keras.layers.Normalization(
        mean=mean, variance=np.square(deviation), name="given"
    )


def load(there, here, tmp_path):
    there.save(tmp_path / "there.keras")
    load_weights(here, tmp_path / "there.keras", here)


@pytest.mark.parametrize(
    "there, here, words",
    [
        (
            [ImageNormalization("caffe")],
            [ImageNormalization("torch")],
            r"by ImageNormalization\('torch'\); this one goes by "
            r"ImageNormalization\('caffe'\)",
        ),
        (
            [rescaling()],
            [ImageNormalization("torch")],
            r"ImageNormalization\('torch'\); .* Rescaling\(0.00392, 0.0\)",
        ),
        (
            [],
            [rescaling()],
            r"Rescaling\(0.00392, 0.0\); this one goes by none",
        ),
        ([rescaling(1 / 127.5, -1)], [], "by none; .*Rescaling"),
        (
            [rescaling(), rescaling([2.0, 2.0, 1.0])],
            [rescaling()],
            r"Rescaling\(0.00392, 0.0\) and Rescaling\(\[2.0, 2.0, 1.0\]",
        ),
    ],
)
def test_another_normalization_is_refused(there, here, words, tmp_path):
    with pytest.raises(ValueError, match=words) as raised:
        load(network(*there), network(*here), tmp_path)
    assert ".weights.h5" in str(raised.value)


@pytest.mark.parametrize(
    "there, here",
    [
        (lambda: [rescaling()], lambda: [rescaling()]),
        # The same by other layers.
        (
            lambda: [ImageNormalization("tf")],
            lambda: [rescaling(1 / 127.5, -1)],
        ),
        (lambda: [given_statistics()], lambda: [ImageNormalization("torch")]),
        # In bfloat16 it is only nearly the same.
        (
            lambda: [ImageNormalization("torch", dtype="bfloat16")],
            lambda: [ImageNormalization("torch")],
        ),
        # What pads, or acts in training alone, does not count.
        (
            lambda: [rescaling(), keras.layers.ZeroPadding2D(1)],
            lambda: [rescaling()],
        ),
        (
            lambda: [keras.layers.RandomFlip("horizontal"), rescaling()],
            lambda: [rescaling()],
        ),
    ],
)
def test_the_same_normalization_fits(there, here, tmp_path):
    load(network(*there(), size=12), network(*here()), tmp_path)


def test_what_stands_before_a_model_inside_counts(tmp_path):
    here = network(rescaling())
    for first, fits in ((rescaling(), True), (rescaling(1 / 127.5, -1), False)):
        outer = keras.Sequential([keras.Input((8, 8, 3)), first, network()])
        if fits:
            load(outer, here, tmp_path)
        else:
            with pytest.raises(ValueError, match="Rescaling.*Rescaling"):
                load(outer, here, tmp_path)


def test_weights_alone_say_nothing_of_it(tmp_path):
    network().save_weights(tmp_path / "a.weights.h5")
    here = network(rescaling())
    report = load_weights(here, tmp_path / "a.weights.h5", here)
    assert report.loaded == ("conv",)


def test_a_model_of_two_inputs_is_refused(tmp_path):
    one, two = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(keras.layers.Add()([one, two]))
    with pytest.raises(ValueError, match="one batch of images.*2 inputs"):
        load(keras.Model([one, two], x), network(), tmp_path)
