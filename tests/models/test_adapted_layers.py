"""A classifier's answers stay the same wherever its layers are copied to."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from keras_csg.edit.surgery import cut_backbone
from keras_csg.explain import cascading_randomization, class_activation_map
from keras_csg.explain.cloning import clone_classifier
from keras_csg.models.float32 import in_float32
from keras_csg.training.callbacks.backup import RunBackup, restore
from keras_csg.training.history import History
from tests.adapted import FRONTS, adapted_backbone, some_images

ADAPTED = pytest.mark.parametrize("name", FRONTS)


def classifier(name):
    keras.utils.set_random_seed(3)
    return keras_csg.build(adapted_backbone(name), 4)


@ADAPTED
def test_building_and_cloning_change_no_answer(name):
    keras.utils.set_random_seed(3)
    backbone = adapted_backbone(name)
    model = keras_csg.build(backbone, 4)
    images = some_images()
    expected = np.asarray(backbone(images))
    assert expected.max() > 0
    assert_array_equal(model.backbone(images), expected)
    assert_array_equal(clone_classifier(model)(images), model(images))


@ADAPTED
def test_a_saved_file_answers_as_before(name, tmp_path):
    model, images = classifier(name), some_images()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(loaded(images), model(images))


@ADAPTED
def test_an_edited_backbone_has_the_filters_that_stay(name):
    model, images = classifier(name), some_images()
    expected = np.asarray(model.backbone(images))
    for kept in ([0, 1, 2, 3, 4, 5], [0, 2, 5]):
        cut = cut_backbone(model.backbone, np.array(kept)).model
        assert_allclose(cut(images), expected[..., kept], rtol=1e-5)


@ADAPTED
def test_in_float32_it_answers_as_in_half_precision(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = classifier(name)
    keras.config.set_dtype_policy("float32")
    plain = in_float32(model)
    assert plain.backbone.compute_dtype == "float32"
    expected = np.asarray(model(some_images()), "float32")
    gap = np.abs(np.asarray(plain(some_images())) - expected).max()
    assert gap < 0.03 * np.abs(expected).max()


@pytest.mark.parametrize("suffix", [".onnx", ".tflite", ""])
@ADAPTED
@pytest.mark.slow
def test_exported_files_answer_as_the_network(name, suffix, tmp_path):
    model, images = classifier(name), some_images()
    path = tmp_path / f"model{suffix}"
    keras_csg.export(model, path, images=images)
    given = keras_csg.open_exported(path).answer(images)
    expected = keras.ops.softmax(model(images))
    assert_allclose(given["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["inside", "functional", "buckets"])
def test_a_layer_that_holds_tensors_is_exported_to_onnx(name, tmp_path):
    model, images = classifier(name), some_images()
    keras_csg.export(model, tmp_path / "model.onnx", images=images)
    given = keras_csg.open_exported(tmp_path / "model.onnx").answer(images)
    expected = keras.ops.softmax(model(images))
    assert_allclose(given["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["normalization", "inside"])
def test_a_sanity_check_begins_with_the_network_itself(name):
    model, images = classifier(name), some_images()
    maps = {"cam": class_activation_map}
    rows = cascading_randomization(model, images, maps=maps)
    assert rows[0]["cam"]["ssim"] == pytest.approx(1)
    # What was adapted to the images has learnt nothing, and stays.
    assert [row["down_to"] for row in rows] == [None, "head", "conv"]


def test_a_backup_puts_back_what_a_layer_derives(tmp_path):
    model, images = classifier("normalization"), some_images()
    model.compile("sgd")
    RunBackup(tmp_path, History(tmp_path / "history.csv")).save(1, model)
    keras.utils.set_random_seed(3)
    plain = keras.Input((8, 8, 3))
    maps = keras.layers.Normalization()(plain)
    maps = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(maps)
    again = keras_csg.build(keras.Model(plain, maps), 4)
    again.compile("sgd")
    restore(tmp_path / "epoch-0001.npz", again)
    assert_array_equal(again(images), model(images))


@keras.saving.register_keras_serializable(package="tests")
class Nameless(keras.layers.Layer):
    """A layer whose class takes no name."""

    def __init__(self):
        super().__init__()

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(3,))

    def call(self, images):
        return images * self.scale

    def get_config(self):
        return {}


def test_a_layer_that_an_edit_would_lose_is_named():
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(6, 3)(Nameless()(images))
    model = keras_csg.build(keras.Model(images, maps), 4)
    with pytest.raises(ValueError, match="must hand `name` on .*Nameless"):
        cut_backbone(model.backbone, np.arange(3))
