import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_csg.backbones.cifar_resnet import PaddedShortcut
from keras_csg.edit.surgery import cut_backbone
from keras_csg.layers import freeze_statistics, fuse_batch_normalization
from tests.edit.families import (
    FAMILIES,
    assert_near,
    random_backbone,
    random_images,
    with_random_statistics,
)

KEPT = np.array([0, 2, 5])


def backbone_of(build, size=8):
    """Returns a functional model, `build` from images to six maps."""
    images = keras.Input((size, size, 3), name="images")
    return with_random_statistics(keras.Model(images, build(images)))


def check(backbone, kept=KEPT):
    """Cuts a backbone; its maps must be the others' of the kept filters."""
    cut = cut_backbone(backbone, np.asarray(kept))
    images = random_images(backbone)
    expected = backbone.predict(images, verbose=0)[..., kept]
    assert_near(cut.model.predict(images, verbose=0), expected)
    return cut


def conv(x, filters=6, **kwargs):
    return layers.Conv2D(
        filters, 3, padding="same", bias_initializer="normal", **kwargs
    )(x)


def plain(x):
    x = layers.BatchNormalization()(conv(x))
    return layers.MaxPooling2D()(layers.SpatialDropout2D(0.1)(layers.ReLU()(x)))


def residual(x):
    x = conv(x, name="first")
    return layers.ReLU()(layers.Add()([conv(x, name="second"), x]))


def gated_by_squeeze(x):
    x = conv(x, name="maps")
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(6, 1, activation="sigmoid", name="excite")(gate)
    return layers.Multiply()([x, gate])


def gated_through_a_reshape(x):
    x = conv(x, name="maps")
    gate = layers.GlobalAveragePooling2D()(x)
    gate = layers.Dense(6, activation="sigmoid", name="excite")(gate)
    return layers.Multiply()([x, layers.Reshape((1, 1, 6))(gate)])


def dense(x):
    x = conv(x, 4, name="early")
    x = layers.Concatenate()([x, conv(x, 2, name="late")])
    return layers.BatchNormalization(name="norm")(x)


def separable(x):
    x = layers.SeparableConv2D(6, 3, name="sep")(x)
    return layers.DepthwiseConv2D(
        3, name="depth", depthwise_initializer="normal"
    )(x)


def by_operations(x):
    return conv(x, name="maps") * 0.5 + ops.relu(conv(x, name="other"))


def one_channel_for_all(x):
    return layers.Multiply()([conv(x, name="maps"), conv(x, 1, name="mask")])


def parametric(x):
    return layers.PReLU(alpha_initializer="normal")(conv(x, name="maps"))


@pytest.mark.parametrize(
    "build, smaller, places",
    [
        (plain, {"conv2d", "batch_normalization"}, 0),
        # The first is read by the second, which needs all of its channels.
        (residual, {"second"}, 1),
        (gated_by_squeeze, {"excite"}, 1),
        (gated_through_a_reshape, {"excite"}, 1),
        (dense, {"norm", "late"}, 1),
        (separable, {"sep", "depth"}, 0),
        (by_operations, {"maps", "other"}, 0),
        (one_channel_for_all, {"maps"}, 0),
        (parametric, {"maps", "p_re_lu"}, 0),
    ],
)
def test_each_layer_loses_what_belongs_to_the_filters(build, smaller, places):
    keras.backend.clear_session()
    backbone = backbone_of(build)
    cut = check(backbone)
    assert set(cut.cut) == smaller
    assert len(cut.selected) == places
    assert cut.model.count_params() < backbone.count_params()
    assert cut.model.output_shape[-1] == 3


def softmax(x):
    return layers.Activation("softmax", name="last")(conv(x))


def layer_norm(x):
    return layers.LayerNormalization(name="last")(conv(x))


def grouped(x):
    return layers.Conv2D(6, 3, groups=3, name="last")(x)


def two_for_each(x):
    return layers.DepthwiseConv2D(3, depth_multiplier=2, name="last")(x)


def of_a_library(x):
    return PaddedShortcut(6, name="last")(conv(x, 4))


def nested(x):
    inner = keras.Input(x.shape[1:])
    return keras.Model(inner, conv(inner), name="last")(x)


def transposed(x):
    return layers.Conv2DTranspose(6, 3, name="last")(x)


def other_axis(x):
    return layers.Concatenate(axis=1, name="last")([conv(x), conv(x)])


@pytest.mark.parametrize(
    "build",
    [
        softmax,
        layer_norm,
        grouped,
        two_for_each,
        of_a_library,
        nested,
        transposed,
        other_axis,
    ],
)
def test_what_cannot_be_cut_gets_a_selection_behind_it(build):
    cut = check(backbone_of(build))
    assert cut.selected == ["last_select"] and not cut.cut
    assert not cut.is_smaller


def test_a_layer_that_is_called_twice_stays_whole():
    def build(x):
        shared = layers.Conv2D(6, 3, padding="same", name="shared")
        return layers.Add()([shared(x), shared(x * 2)])

    cut = check(backbone_of(build))
    assert cut.selected == ["shared_select", "shared_select_"]


def test_two_arms_that_need_the_same_channels_share_the_cut():
    def build(x):
        x = conv(x, name="maps")
        return layers.Add()([layers.ReLU()(x), layers.Activation("tanh")(x)])

    cut = check(backbone_of(build))
    assert cut.cut == ["maps"] and not cut.selected


def test_an_arm_that_nothing_is_left_of_is_not_there_any_more():
    backbone = backbone_of(dense)
    cut = check(backbone, [0, 1, 2])
    names = {layer.name for layer in cut.model.layers}
    assert "late" not in names and "early" in names


def test_a_constant_tensor_in_an_operation_is_no_number():
    def build(x):
        return conv(x) * np.arange(6, dtype="float32")

    assert not check(backbone_of(build)).cut


def test_what_was_cut_is_cut_again():
    first = check(backbone_of(residual))
    again = check(first.model, [0, 2])
    assert again.model.output_shape[-1] == 2
    selections = [n for n in again.selected if "select_select" in n]
    assert not selections  # The one that is there became smaller.


@pytest.mark.parametrize(
    "change", [fuse_batch_normalization, freeze_statistics]
)
def test_the_packages_own_normalizations_are_cut(change):
    backbone = change(backbone_of(plain))
    cut = check(backbone)
    assert len(cut.cut) == 2
    frozen = change is freeze_statistics
    kinds = {type(layer).__name__ for layer in cut.model.layers}
    assert ("FrozenStatisticsBatchNormalization" in kinds) == frozen


def test_sequential_and_named_models_are_backbones():
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(6, 3), layers.ReLU()],
        name="mine",
    )
    assert check(model).model.name == "mine"


def test_the_backbone_stays_as_it_was():
    backbone = backbone_of(residual)
    before = [w.copy() for w in backbone.get_weights()]
    readers = len(backbone.get_layer("first").output.shape)
    check(backbone)
    for old, new in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert readers == 4 and backbone.output_shape[-1] == 6


def test_whatever_is_derived_from_weights_is_derived_again():
    normalization = layers.Normalization(name="norm")
    normalization.adapt(np.random.default_rng(0).normal(3, 2, (99, 8, 8, 3)))
    check(backbone_of(lambda x: conv(normalization(x))))


def test_layers_that_rest_still_do():
    backbone = backbone_of(residual)
    backbone.get_layer("second").trainable = False
    cut = check(backbone)
    assert not cut.model.get_layer("second").trainable
    assert cut.model.get_layer("first").trainable


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_backbones_of_all_families(name):
    backbone = random_backbone(name)
    filters = backbone.output_shape[-1]
    rng = np.random.default_rng(1)
    kept = np.sort(rng.choice(filters, filters * 3 // 4, replace=False))
    cut = check(backbone, kept)
    fewer = cut.model.count_params() < backbone.count_params()
    if FAMILIES[name] is not None:
        assert cut.is_smaller == fewer == FAMILIES[name]
    else:
        assert cut.is_smaller == fewer
