import sys

import keras
import numpy as np
import pytest

from keras_csg.backbones import (
    BackboneSpec,
    create_backbone,
    list_backbones,
    register_backbone,
    registry,
)


@pytest.fixture
def spare_registry(monkeypatch):
    monkeypatch.setattr(registry, "_SPECS", dict(registry._SPECS))


def test_listing_groups_families_and_counts_numbers():
    names = list_backbones()
    assert len(names) == len(set(names)) >= 70
    assert names[:5] == [f"resnet{n}" for n in (20, 32, 44, 56, 110)]
    first = names.index("resnet18")
    assert names[first : first + 5] == [
        f"resnet{n}" for n in (18, 34, 50, 101, 152)
    ]


@pytest.mark.slow
def test_importing_backbones_leaves_keras_cv_alone():
    import subprocess

    code = "import sys, keras_csg.backbones; print('keras_cv' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["ResNet-20", "RESNET_20", "resnet20"])
def test_name_ignores_case_and_separators(name):
    assert create_backbone(name).name == "resnet20"


def test_unknown_name_gets_the_nearest():
    with pytest.raises(
        ValueError, match=r"resnet50.*Received: backbone='resnet51'"
    ):
        create_backbone("resnet51")


def test_hopeless_name_still_gets_a_way_out():
    with pytest.raises(ValueError, match="list_backbones.*backbone='!!!'"):
        create_backbone("!!!")


def test_registered_backbone_can_be_created(spare_registry):
    @register_backbone("My_Net", family="Mine", default_size=16, min_size=4)
    def build(images, weights):
        return keras.layers.Conv2D(5, 3)(images)

    model = create_backbone("mynet")
    assert model.input_shape == (None, 16, 16, 3)
    assert model.output_shape == (None, 14, 14, 5)
    assert "mynet" in list_backbones()
    assert isinstance(registry.backbone_spec("MyNet"), BackboneSpec)


def test_taken_name_is_refused(spare_registry):
    with pytest.raises(ValueError, match="must be new.*name=resnet20"):
        register_backbone(
            "ResNet-20", family="Mine", default_size=32, min_size=8
        )(lambda images, weights: images)


def test_flat_output_is_refused(spare_registry):
    @register_backbone("flat", family="Mine", default_size=8, min_size=8)
    def build(images, weights):
        return keras.layers.GlobalAveragePooling2D()(images)

    with pytest.raises(ValueError, match=r"4-D.*shape=\(None, 3\)"):
        create_backbone("flat")


def test_small_image_names_minimum_and_way_out():
    with pytest.raises(ValueError, match=r"75x75.*resnet20.*\(32, 32, 3\)"):
        create_backbone("inceptionv3", input_shape=(32, 32, 3))


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 1), (None, None, 4)])
def test_other_than_rgb_images_are_refused(shape):
    with pytest.raises(ValueError, match="must be .height, width, 3."):
        create_backbone("resnet20", input_shape=shape)


def test_odd_image_is_refused_where_sides_must_be_even():
    with pytest.raises(ValueError, match="multiples of 2.*33, 32, 3"):
        create_backbone("cspdarknettiny", input_shape=(33, 32, 3))


def test_unknown_size_is_refused_where_it_matters():
    with pytest.raises(ValueError, match="mitb0 must know the height"):
        create_backbone("mitb0", input_shape=(None, None, 3))


def test_missing_weights_name_the_families_that_have_them():
    with pytest.raises(
        ValueError,
        match="resnet20 must be None.*exist for .*ResNet.*'imagenet'",
    ):
        create_backbone("resnet20", weights="imagenet")


def test_unknown_weights_are_refused():
    with pytest.raises(ValueError, match="None or 'imagenet'.*'coco'"):
        create_backbone("vgg16", weights="coco")


def test_model_of_unknown_size_takes_any_size():
    model = create_backbone("resnet20", input_shape=(None, None, 3))
    for side in (9, 16):
        rows = -(-side // 4)
        features = model(np.zeros((1, side, side, 3), "float32"))
        assert features.shape == (1, rows, rows, 64)
