"""Building from weights, by tiny files and by real ones where they are."""

import tarfile

import keras
import numpy as np
import pytest
from PIL import Image

import keras_csg
from tests.source_tree import ROOT
from tests.tiny import tiny_backbone

SHARED = ROOT.parent / "shared" / "data"
REAL = SHARED / "weights" / "efficientnetliteb0.weights.h5"
HEAD = SHARED / "weights" / "imagenet_head.npz"
PHOTOGRAPHS = SHARED / "animals10.tar"
# Where the ten animals stand among ImageNet's classes of 2012.
COLUMNS = {
    "armadillo": 363,
    "giant_panda": 388,
    "goldfish": 1,
    "hippopotamus": 344,
    "koala": 105,
    "lion": 291,
    "lobster": 122,
    "red_panda": 387,
    "tiger": 292,
    "zebra": 340,
}
real = pytest.mark.skipif(
    not REAL.exists(), reason=f"there are no real weights at {REAL}"
)


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """A file of weights, and the backbone it was written from."""
    backbone = keras_csg.create_backbone("resnet20", input_shape=(8, 8, 3))
    path = tmp_path_factory.mktemp("weights") / "resnet20.weights.h5"
    backbone.save_weights(path)
    return path, backbone


@pytest.mark.parametrize(
    "given, loaded, missing, new",
    [
        ({}, 95, 0, ()),
        pytest.param(
            {"filters": 8}, 95, 2, ("gated_conv",), marks=pytest.mark.slow
        ),
        pytest.param(
            {"gate_at": "stage1_block1_out"}, 15, 0, (), marks=pytest.mark.slow
        ),
        (
            {"gate_at": "stage1_block1_out", "filters": 8},
            15,
            2,
            ("gated_conv",),
        ),
    ],
)
def test_the_report_counts_what_the_classifier_has(
    given, loaded, missing, new, resnet
):
    path, backbone = resnet
    model = keras_csg.build("resnet20", 3, weights=path, **given)
    report = model.backbone_weights
    assert (report.arrays, report.missing_arrays) == (loaded, missing)
    assert report.missing == new
    assert report.arrays + report.missing_arrays == len(model.backbone.weights)
    assert bool(report.unused) is ("gate_at" in given)
    own = {layer.name: layer for layer in backbone.layers}
    for name in report.loaded:
        for old, weight in zip(
            own[name].weights, model.get_layer(name).weights, strict=True
        ):
            np.testing.assert_array_equal(weight, old)


def test_the_report_is_no_part_of_a_saved_model(resnet, tmp_path):
    model = keras_csg.build("resnet20", 3, weights=str(resnet[0]))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.backbone_weights is None
    assert loaded.get_config().keys() == model.get_config().keys()


def test_the_line_is_logged(resnet, caplog):
    with caplog.at_level("INFO", logger="keras_csg"):
        model = keras_csg.build("resnet20", 3, weights=resnet[0])
    assert str(model.backbone_weights) in caplog.text


def test_statistics_are_frozen_after_they_were_loaded(resnet):
    path, backbone = resnet
    model = keras_csg.build(
        "resnet20", 3, weights=path, freeze="statistics", input_shape=(8, 8, 3)
    )
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3))
    np.testing.assert_allclose(
        model.backbone(images, training=True), backbone(images), rtol=1e-4
    )


def test_weights_are_for_a_backbone_by_name(resnet):
    with pytest.raises(ValueError, match="`weights` is for a backbone by name"):
        keras_csg.build(tiny_backbone(), 3, weights=resnet[0])


def test_weights_by_name_are_reported(monkeypatch):
    """Without a network: the name is passed on, as to Keras."""
    network = keras.applications.MobileNetV2

    def without_download(weights, **kwargs):
        assert weights == "imagenet"
        return network(weights=None, **kwargs)

    monkeypatch.setattr(keras.applications, "MobileNetV2", without_download)
    model = keras_csg.build(
        "mobilenetv2", 3, weights="imagenet", input_shape=(32, 32, 3), filters=4
    )
    report = model.backbone_weights
    assert str(report) == (
        "Loaded 260 of 262 arrays of mobilenetv2 from imagenet; new: gated_conv"
    )
    assert (report.path, report.sha256) == (None, None)


@real
def test_real_weights_are_all_loaded():
    model = keras_csg.build(
        "efficientnetliteb0",
        10,
        weights=REAL,
        input_shape=(32, 32, 3),
        filters=64,
    )
    assert str(model.backbone_weights) == (
        f"Loaded 245 of 247 arrays of efficientnetliteb0 from {REAL} "
        "(sha256 5d8cc401b805...); new: gated_conv"
    )


@pytest.fixture
def photographs(tmp_path):
    """Every twelfth of the animals, which were held out, and their labels."""
    with tarfile.open(PHOTOGRAPHS) as archive:
        archive.extractall(tmp_path, filter="data")
    (root,) = {path.parent for path in tmp_path.rglob("val")}
    images, labels = [], []
    for label, name in enumerate(sorted(COLUMNS)):
        for path in sorted((root / "val" / name).glob("*.jpg"))[::12]:
            images.append(np.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    return np.stack(images).astype("float32"), np.array(labels)


@pytest.mark.slow
@real
def test_real_weights_know_the_animals(photographs):
    """0.970 of all 1,191 are right; of 104, a standard error is .017."""
    images, labels = photographs
    model = keras_csg.build(
        "efficientnetliteb0", 10, weights=REAL, input_shape=images.shape[1:]
    )
    head = np.load(HEAD)
    columns = [COLUMNS[name] for name in sorted(COLUMNS)]
    model.head.set_weights([head["kernel"][:, columns], head["bias"][columns]])
    assert images.shape[1:] == (128, 128, 3)
    predicted = model.predict(images, verbose=0).argmax(axis=1)
    assert abs(np.mean(predicted == labels) - 0.970) < 0.035
