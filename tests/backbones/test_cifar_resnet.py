import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.backbones import create_backbone
from keras_csg.backbones.cifar_resnet import PaddedShortcut


def parameters_by_hand(depth):
    """Trainable parameters without the head, counted from the paper."""
    blocks = (depth - 2) // 6
    kernels = 9 * (3 * 16 + 2 * blocks * 16 * 16)
    for filters in (32, 64):
        kernels += 9 * filters * (filters // 2 + (2 * blocks - 1) * filters)
    scales = 2 * (16 + 2 * blocks * (16 + 32 + 64))
    return kernels + scales


@pytest.mark.parametrize(
    "depth",
    [20, 32, *(pytest.param(n, marks=pytest.mark.slow) for n in (44, 56, 110))],
)
def test_parameters_are_those_of_the_paper(depth):
    model = create_backbone(f"resnet{depth}")
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert trainable == parameters_by_hand(depth)
    # The paper's table 6, in millions, with a head for ten classes.
    in_paper = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7}[depth]
    assert (trainable + 650) / 1e6 == pytest.approx(in_paper, rel=0.03)


def test_depth_counts_convolutions_and_head():
    layers = create_backbone("resnet56").layers
    convolutions = [x for x in layers if isinstance(x, keras.layers.Conv2D)]
    assert len(convolutions) + 1 == 56
    assert not any(layer.use_bias for layer in convolutions)


def test_stages_halve_the_map_and_double_the_filters():
    model = create_backbone("resnet20")
    shapes = [
        model.get_layer(f"stage{stage}_block3_out").output.shape[1:]
        for stage in (1, 2, 3)
    ]
    assert shapes == [(32, 32, 16), (16, 16, 32), (8, 8, 64)]


def test_batch_normalization_and_activation_are_the_papers():
    model = create_backbone("resnet20")
    norm = model.get_layer("stem_bn")
    assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)
    features = model(np.random.rand(2, 32, 32, 3) * 255)
    assert np.min(features) == 0  # ReLU after the addition.


def test_shortcut_takes_every_second_position_and_pads_filters():
    features = np.arange(25, dtype="float32").reshape(1, 5, 5, 1)
    shortcut = PaddedShortcut(4, strides=2)(features)
    assert shortcut.shape == (1, 3, 3, 4)
    assert_allclose(
        shortcut[0, :, :, 1], [[0, 2, 4], [10, 12, 14], [20, 22, 24]]
    )
    assert_allclose(np.delete(shortcut, 1, axis=-1), np.zeros((1, 3, 3, 3)))


def test_shortcut_has_no_weights_and_survives_its_config():
    shortcut = PaddedShortcut(4, strides=2)
    again = PaddedShortcut.from_config(shortcut.get_config())
    assert (again.filters, again.strides) == (4, 2)
    assert again(keras.Input((7, 8, 2))).shape == (None, 4, 4, 4)
    assert again.weights == []
