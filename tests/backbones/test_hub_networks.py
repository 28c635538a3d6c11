"""Presets of KerasHub as backbones: the same features, from plain images."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import keras_csg
from keras_csg.backbones.registry import backbone_spec
from keras_csg.backbones.weights import read_model_file
from tests.backbones.small_presets import (
    FAMILIES,
    SIDE,
    features_of,
    save_preset,
)

keras_hub = pytest.importorskip(
    "keras_hub", reason="keras-hub is not installed: keras-csg[hub]"
)

# KerasHub's Swin says so of itself whenever it is built.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Layer 'stage_:UserWarning",
    "ignore:Layer 'attn' .of type WindowAttention. was passed an input with a "
    "mask:UserWarning",
)

# Families of which every layer is Keras's own, and those of which not.
PLAIN = ("ResNet", "DenseNet", "VGG", "Xception")
QUICK = (*PLAIN, "MiT", "EfficientNet")


def images(count=2, side=SIDE):
    shape = (count, side, side, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype("float32")


def maps_of(model, batch):
    return keras.ops.convert_to_numpy(model.backbone(batch, training=False))


def families(quick=QUICK):
    return [
        pytest.param(name, marks=() if name in quick else pytest.mark.slow)
        for name in FAMILIES
    ]


@pytest.mark.parametrize("family", families())
def test_features_are_those_of_keras_hub_and_come_back(family, tmp_path):
    network, scaling = save_preset(tmp_path / "preset", family)
    expected = features_of(network, scaling, images())
    model = keras_csg.build(f"hub:{tmp_path / 'preset'}", num_classes=4)
    assert model.backbone.name == "preset"
    assert model.input_shape == (None, SIDE, SIDE, 3)
    found = maps_of(model, images())
    assert found.ndim == 4
    scale = np.abs(expected).max()
    assert_allclose(
        found.reshape(expected.shape) / scale, expected / scale, atol=1e-4
    )
    bytes_in = maps_of(model, images().astype("uint8"))
    assert_allclose(bytes_in / scale, found / scale, atol=1e-6)

    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_array_equal(maps_of(again, images()), found)


@pytest.mark.parametrize("family", PLAIN)
def test_layers_are_plain_ones_of_keras(family, tmp_path):
    save_preset(tmp_path, family)
    model = keras_csg.create_backbone(f"hub:{tmp_path}")
    assert {type(x).__module__.split(".")[0] for x in model.layers} == {"keras"}
    assert not [x for x in model.layers if isinstance(x, keras.Model)]


def load_without_keras_hub(path):
    script = f"""import sys
sys.modules["keras_hub"] = None
import keras_csg
from keras_csg.backbones.weights import read_model_file
import pathlib
try:
    print(read_model_file(pathlib.Path({str(path)!r})).filters)
except ValueError as error:
    print(error)"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    "family, said",
    [
        ("ResNet", "64"),
        pytest.param(
            "EfficientNet",
            "Cannot read {}: it has layers of KerasHub, which is not "
            "installed: `pip install 'keras-csg[hub]'`",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_plain_layers_load_without_keras_hub(family, said, tmp_path):
    save_preset(tmp_path / "preset", family)
    path = tmp_path / "model.keras"
    keras_csg.build(f"hub:{tmp_path / 'preset'}", 4).save(path)
    assert load_without_keras_hub(path) == said.format(path)
    assert read_model_file(path).filters > 0


def test_weights_are_the_presets_a_files_or_random(tmp_path):
    name = f"hub:{tmp_path / 'preset'}"
    save_preset(tmp_path / "preset")
    own = keras_csg.build(name, 4)
    assert str(own.backbone_weights) == (
        "Loaded 30 of 30 arrays of preset from preset"
    )
    same = keras_csg.build(name, 4, weights="preset")
    assert_array_equal(maps_of(same, images()), maps_of(own, images()))

    fresh = keras_csg.build(name, 4, weights="random")
    assert fresh.backbone_weights is None
    assert not np.allclose(maps_of(fresh, images()), maps_of(own, images()))
    file = tmp_path / "fresh.weights.h5"
    fresh.backbone.save_weights(file)
    loaded = keras_csg.build(name, 4, weights=file)
    assert loaded.backbone_weights.path == str(file)
    assert_array_equal(maps_of(loaded, images()), maps_of(fresh, images()))

    with pytest.raises(ValueError, match="None or 'preset'"):
        keras_csg.build(name, 4, weights="imagenet")


def test_random_weights_are_random_for_every_backbone():
    one = keras_csg.build("resnet20", 4, weights="random")
    assert one.backbone_weights is None


def test_gate_filters_and_freeze_are_as_with_other_backbones(tmp_path):
    save_preset(tmp_path)
    model = keras_csg.build(
        f"hub:{tmp_path}",
        4,
        gate_at="stack0_block0_out",
        filters=12,
        freeze="all",
    )
    assert model.backbone.output_shape == (None, 8, 8, 12)
    weights = [w.path.split("/")[0] for w in model.backbone.trainable_weights]
    assert weights == ["gated_conv"] * 2


def test_images_may_have_another_size_where_the_network_allows_it(tmp_path):
    network, scaling = save_preset(tmp_path / "resnet")
    model = keras_csg.build(
        f"hub:{tmp_path / 'resnet'}", 4, input_shape=(48, 48, 3)
    )
    scaling.image_size = None
    expected = features_of(network, scaling, images(side=48))
    scale = np.abs(expected).max()
    found = maps_of(model, images(side=48))
    assert_allclose(found / scale, expected / scale, atol=1e-4)

    save_preset(tmp_path / "vit", "ViT")
    with pytest.raises(
        ValueError, match=r"ViT cannot be built.*\(48, 48, 3\).*32x32"
    ) as error:
        keras_csg.build(f"hub:{tmp_path / 'vit'}", 4, input_shape=(48, 48, 3))
    assert "\n" not in str(error.value)
    free = {"input_shape": (48, 48, 3), "weights": "random"}
    model = keras_csg.build(f"hub:{tmp_path / 'vit'}", 4, **free)
    assert model.backbone.output_shape == (None, 6, 6, 16)


@pytest.mark.parametrize("changes", [{"use_class_token": True}, {}])
def test_tokens_must_be_those_of_a_square_of_patches(changes, tmp_path):
    oblong = {} if changes else {"image_shape": (SIDE, 2 * SIDE, 3)}
    save_preset(tmp_path, "ViT", **changes, **oblong)
    shape = oblong.get("image_shape", (SIDE, SIDE, 3))
    with pytest.raises(ValueError, match="one for each patch of a square"):
        keras_csg.build(f"hub:{tmp_path}", 4, input_shape=shape)


def test_tokens_are_laid_out_as_the_patches_are(tmp_path):
    """A bright patch changes its own place most: nothing is transposed."""
    save_preset(tmp_path, "ViT", num_layers=1)
    model = keras_csg.create_backbone(f"hub:{tmp_path}")
    dark = np.full((1, SIDE, SIDE, 3), 100.0, "float32")
    bright = dark.copy()
    bright[:, 8:16, 16:24] = 200.0  # Second row, third column of patches.
    change = np.abs(np.asarray(model(bright)) - np.asarray(model(dark)))
    place = np.unravel_index(change[0].sum(axis=-1).argmax(), (4, 4))
    assert place == (1, 2)


@pytest.mark.parametrize(
    "family",
    ["ResNet", *(pytest.param(n, marks=pytest.mark.slow) for n in QUICK[1:])],
)
def test_a_preset_follows_the_dtype_policy(family, tmp_path):
    save_preset(tmp_path, family)
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = keras_csg.create_backbone(f"hub:{tmp_path}")
    assert model.output.dtype == "bfloat16"
    assert {w.dtype for w in model.trainable_weights} == {"float32"}
    scaled = model.get_layer("image_normalization")
    assert scaled.output.dtype == "float32"


def test_a_preset_is_known_by_its_family_and_size(tmp_path):
    save_preset(tmp_path, "EfficientNet")
    spec = backbone_spec(f"hub:{tmp_path}")
    assert spec.family == "EfficientNet"
    assert spec.default_size == SIDE
    assert spec.weights == ("preset",)
