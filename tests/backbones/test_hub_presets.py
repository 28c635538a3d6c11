"""What is refused of KerasHub's presets, and how."""

import json
import sys

import keras
import pytest

import keras_csg
from keras_csg.backbones import describe_presets
from tests.backbones.small_presets import save_preset


@pytest.fixture
def keras_hub():
    return pytest.importorskip(
        "keras_hub", reason="keras-hub is not installed: keras-csg[hub]"
    )


def refusal_of(name, kind=ValueError):
    with pytest.raises(kind) as error:
        keras_csg.build(name, 4)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_keras_hub_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    line = refusal_of("hub:resnet_18_imagenet")
    assert "pip install 'keras-csg[hub]'" in line
    assert "'hub:resnet_18_imagenet'" in line


@pytest.mark.parametrize("name", ["resnet_18_imagenot", "no/such/folder", ""])
def test_an_unknown_preset_is_refused_with_the_nearest(name, keras_hub):
    line = refusal_of(f"hub:{name}")
    assert f"backbone='hub:{name}'" in line
    assert ("resnet_18_imagenet," in line) == (name == "resnet_18_imagenot")


def no_download(*args, **kwargs):
    raise AssertionError("Something was downloaded.")


def test_a_preset_for_text_is_refused_before_a_download(keras_hub, monkeypatch):
    monkeypatch.setattr(
        keras_hub.layers.ImageConverter, "from_preset", no_download
    )
    line = refusal_of("hub:bert_tiny_en_uncased")
    assert "none for classes of images" in line


def test_a_folder_with_another_network_is_refused(keras_hub, tmp_path):
    bert = keras_hub.models.BertBackbone(
        vocabulary_size=30,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
    )
    bert.save_to_preset(str(tmp_path / "bert"))
    assert "BertBackbone" in refusal_of(f"hub:{tmp_path / 'bert'}")
    dino = keras_hub.models.DINOV2Backbone(
        patch_size=8,
        num_layers=1,
        hidden_dim=16,
        num_heads=2,
        intermediate_dim=32,
        image_shape=(32, 32, 3),
        position_embedding_shape=(32, 32, 3),
    )
    dino.save_to_preset(str(tmp_path / "dino"))
    scaling = keras_hub.layers.DINOV2ImageConverter(image_size=(32, 32))
    scaling.save_to_preset(str(tmp_path / "dino"))
    line = refusal_of(f"hub:{tmp_path / 'dino'}")
    assert "DINOV2Backbone, which classifies no images" in line


@pytest.mark.parametrize("file", ["image_converter.json", "model.weights.h5"])
def test_a_folder_that_is_not_whole_is_refused(file, keras_hub, tmp_path):
    save_preset(tmp_path)
    (tmp_path / file).unlink()
    line = refusal_of(f"hub:{tmp_path}")
    assert "is not whole" in line
    assert "converter.save_to_preset(PATH)" in line


def test_a_damaged_folder_is_refused(keras_hub, tmp_path):
    save_preset(tmp_path)
    (tmp_path / "config.json").write_text("{")
    assert "cannot be read" in refusal_of(f"hub:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"a": 1}))
    assert "cannot be read" in refusal_of(f"hub:{tmp_path}")


def test_without_a_network_one_line_says_so(keras_hub, monkeypatch):
    def unreachable(*args, **kwargs):
        raise ConnectionError("Failed to resolve 'api.kaggle.com'\nat line 1")

    monkeypatch.setattr(
        keras_hub.layers.ImageConverter, "from_preset", unreachable
    )
    line = refusal_of("hub:resnet_18_imagenet", OSError)
    assert "Failed to resolve 'api.kaggle.com'. Names and handles" in line


def test_kinds_of_handles_go_to_keras_hub(keras_hub):
    line = refusal_of("hub:kaggle://keras")
    assert "kaggle://{org}/{model}" in line


def test_presets_are_listed_without_a_download(keras_hub):
    lines = describe_presets()
    (line,) = [x for x in lines if x["name"] == "hub:resnet_18_imagenet"]
    assert line["family"] == "resnet"
    assert 11e6 < line["parameters"] < 12e6
    assert not [x for x in lines if "bert" in x["name"]]


def test_the_default_size_is_224_where_a_preset_has_none(keras_hub, tmp_path):
    network, scaling = save_preset(tmp_path, converter=False)
    scaling.image_size = None
    scaling.save_to_preset(str(tmp_path))
    model = keras_csg.create_backbone(f"hub:{tmp_path}")
    assert model.input_shape == (None, 224, 224, 3)


def test_a_preset_that_scales_nothing_has_no_such_layer(keras_hub, tmp_path):
    save_preset(tmp_path, converter=False)
    keras_hub.layers.ResNetImageConverter().save_to_preset(str(tmp_path))
    model = keras_csg.create_backbone(
        f"hub:{tmp_path}", input_shape=(32, 32, 3)
    )
    scaling = [x for x in model.layers if isinstance(x, keras.layers.Rescaling)]
    assert scaling == []
