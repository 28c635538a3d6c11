"""Models with several outputs, and layers with several, as backbones."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_csg
from tests.adapted import some_images


def layers(images):
    early = keras.layers.Conv2D(4, 3, name="early")(images)
    late = keras.layers.Conv2D(6, 3, name="late")(early)
    return early, late, keras.layers.GlobalMaxPooling2D(name="vector")(late)


def model_with(choose):
    images = keras.Input((8, 8, 3))
    return keras.Model(images, choose(*layers(images)), name="several")


def test_the_only_feature_map_of_several_outputs_is_gated():
    for choose in (
        lambda early, late, vector: [vector, late],
        lambda early, late, vector: {"logits": vector, "maps": late},
    ):
        backbone = model_with(choose)
        model = keras_csg.build(backbone, 4)
        assert model.filters == 6 and model.backbone.name == "several"
        expected = keras.Model(
            backbone.input, backbone.get_layer("late").output
        )
        assert_array_equal(
            model.backbone(some_images()), expected(some_images())
        )


def test_of_several_feature_maps_one_is_named():
    backbone = model_with(lambda early, late, vector: [early, late])
    assert keras_csg.build(backbone, 4, gate_at="early").filters == 4
    assert keras_csg.build(backbone, 4, gate_at="late").filters == 6
    with pytest.raises(ValueError, match="2 outputs.*`gate_at`.*early, late"):
        keras_csg.build(backbone, 4)
    with pytest.raises(ValueError, match="must name a layer.*gate_at='lat'"):
        keras_csg.build(backbone, 4, gate_at="lat")


def test_outputs_without_a_feature_map_are_named():
    backbone = model_with(lambda early, late, vector: [vector, vector * 2])
    with pytest.raises(ValueError, match="2 outputs.*such as .*early, late"):
        keras_csg.build(backbone, 4)


@keras.saving.register_keras_serializable(package="tests")
class Halves(keras.layers.Layer):
    """Gives the first and the second half of the channels."""

    def __init__(self, named=False, **kwargs):
        super().__init__(**kwargs)
        self.named = named

    def call(self, maps):
        first, second = keras.ops.split(maps, 2, axis=-1)
        return {"a": first, "b": second} if self.named else [first, second]


@pytest.mark.parametrize("named", [False, True])
def test_a_layer_with_several_outputs_may_be_the_last(named, tmp_path):
    images = keras.Input((8, 8, 3))
    halves = Halves(named)(keras.layers.Conv2D(8, 3)(images))
    backbone = keras.Model(images, halves["b" if named else 1])
    model = keras_csg.build(backbone, 4)
    expected = np.asarray(backbone(some_images()))
    assert_array_equal(model.backbone(some_images()), expected)
    keras_csg.export(model, tmp_path / "model.onnx", images=some_images())


def test_layers_that_are_called_twice_stay_shared(tmp_path):
    def block():
        return keras.Sequential(
            [
                keras.Input((8, 8, 5)),
                keras.layers.Conv2D(5, 3, padding="same", name="conv"),
                keras.layers.BatchNormalization(name="norm"),
            ]
        )

    images, one, other = keras.Input((8, 8, 3)), block(), block()
    conv = keras.layers.Conv2D(5, 3, padding="same", name="conv")
    wide = keras.layers.Conv2D(5, 1, name="wide")(images)
    backbone = keras.Model(images, one(conv(conv(other(one(wide))))))
    model = keras_csg.build(backbone, 4)
    assert_array_equal(model.backbone(some_images()), backbone(some_images()))
    assert model.backbone.count_params() == backbone.count_params()
    names = [layer.name for layer in model.backbone.layers]
    assert len(names) == len(set(names)) == 7
    keras_csg.export(model, tmp_path / "model.onnx", images=some_images())
    with pytest.raises(ValueError, match="`gate_at` must name a layer"):
        keras_csg.build(backbone, 4, gate_at="convolution")
