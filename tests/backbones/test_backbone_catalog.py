import json

import pytest

from keras_csg.backbones import (
    catalog,
    describe_backbones,
    list_backbones,
    measure,
    registry,
)


def figures():
    return json.loads(catalog.CATALOG_PATH.read_text())


def test_catalog_holds_every_backbone_and_no_other():
    assert set(figures()) == set(list_backbones())


def test_description_joins_registry_and_catalog():
    entries = {entry["name"]: entry for entry in describe_backbones()}
    assert list(entries) == list_backbones()
    assert entries["resnet20"] == {
        "name": "resnet20",
        "family": "CIFAR ResNet",
        "parameters": 270_448,
        "filters": 64,
        "default_size": 32,
        "min_size": 8,
        "weights": [],
    }
    assert entries["vgg16"]["weights"] == ["imagenet"]


def test_backbone_from_outside_has_no_figures(monkeypatch):
    monkeypatch.setattr(registry, "_SPECS", dict(registry._SPECS))
    registry.register_backbone(
        "own", family="Own", default_size=32, min_size=8
    )(lambda images, weights: images)
    (own,) = [x for x in describe_backbones() if x["name"] == "own"]
    assert own["parameters"] is None
    assert own["filters"] is None


@pytest.mark.slow
def test_catalog_is_written_as_it_is_read(tmp_path):
    names = ["resnet20", "mobilenetv2"]
    measure.write_catalog(names, tmp_path / "catalog.json")
    written = json.loads((tmp_path / "catalog.json").read_text())
    assert written == {name: figures()[name] for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("name", list_backbones())
def test_catalog_holds_what_the_model_has(name):
    assert measure.measure_backbone(name) == figures()[name]
