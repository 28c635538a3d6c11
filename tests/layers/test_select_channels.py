import keras
import numpy as np
import pytest

from keras_csg.layers import SelectChannels


def test_the_channels_are_passed_on_in_their_order():
    features = np.arange(2 * 1 * 2 * 4, dtype="float32").reshape(2, 1, 2, 4)
    selected = SelectChannels([3, 1])(features)
    np.testing.assert_array_equal(selected, features[..., [3, 1]])


def test_it_comes_back_from_its_configuration():
    layer = SelectChannels(np.array([0, 2]), name="some")
    again = SelectChannels.from_config(layer.get_config())
    assert again.channels == [0, 2] and again.name == "some"
    assert layer.compute_output_shape((None, 4, 4, 9)) == (None, 4, 4, 2)


def test_a_model_with_it_is_saved_and_read(tmp_path):
    images = keras.Input((4, 4, 3))
    model = keras.Model(images, SelectChannels([2])(images))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    batch = np.random.default_rng(0).uniform(size=(2, 4, 4, 3))
    np.testing.assert_array_equal(again(batch), model(batch))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_it_computes_as_its_policy_says(dtype):
    outputs = SelectChannels([0], dtype=dtype)(np.ones((1, 2), "float32"))
    assert outputs.dtype.name == dtype.removeprefix("mixed_")


def test_no_channel_or_one_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match=r"at least one. Received: channels="):
        SelectChannels([])
    with pytest.raises(ValueError, match="whole number of at least 0"):
        SelectChannels([-1])
    with pytest.raises(ValueError, match="below 3, .* Received: 3"):
        SelectChannels([0, 3])(np.ones((1, 3), "float32"))
