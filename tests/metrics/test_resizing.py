import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.metrics.resizing import resize_maps


@pytest.mark.parametrize("size", [(8, 8), (7, 13), (4, 4), (3, 5)])
def test_resizes_as_keras_does(size):
    maps = np.random.default_rng(0).random((2, 4, 3)).astype("float32")
    expected = keras.ops.image.resize(maps[..., None], size)[..., 0]
    assert_allclose(resize_maps(maps, size), expected, atol=1e-6)


def test_leading_axes_stay():
    assert resize_maps(np.ones((2, 3, 2, 2)), (4, 6)).shape == (2, 3, 4, 6)
