"""What one image costs, against counts by hand and in the literature."""

import keras
import pytest

from keras_csg.backbones import create_backbone
from keras_csg.backbones.multiply_adds import multiply_adds
from tests.tiny import tiny_classifier


def test_by_hand():
    """Of 8x8 images: a convolution of 3x3 from 3 to 6, and the head to 4."""
    assert multiply_adds(tiny_classifier()) == 64 * 9 * 3 * 6 + 6 * 4


def test_depthwise_grouped_and_strided_ones():
    images = keras.Input((8, 8, 4))
    x = keras.layers.DepthwiseConv2D(3, strides=2, padding="same")(images)
    x = keras.layers.Conv2D(6, 1, groups=2)(x)
    x = keras.layers.SeparableConv2D(5, 3, padding="same")(x)
    expected = 16 * (9 * 4 + 2 * 6 + 9 * 6 + 6 * 5)
    assert multiply_adds(keras.Model(images, x)) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, billions", [("resnet50", 3.86), ("mobilenetv2", 0.30)]
)
def test_as_in_the_literature(name, billions):
    model = create_backbone(name, input_shape=(224, 224, 3))
    assert multiply_adds(model) / 1e9 == pytest.approx(billions, abs=0.01)


def test_what_cannot_be_counted_is_refused():
    images = keras.Input((None, None, 3))
    model = keras.Model(images, keras.layers.Conv2D(2, 1)(images))
    with pytest.raises(ValueError, match="must have a size to count for"):
        multiply_adds(model)
    hidden = create_backbone("mitb0", input_shape=(32, 32, 3))
    with pytest.raises(ValueError, match="hidden in another"):
        multiply_adds(hidden)
