"""Weights go where they belong, and one line says which."""

import hashlib
import shutil

import h5py
import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from keras_csg import CSGClassifier
from keras_csg.backbones.weights import WeightsReport, load_weights
from tests.tiny import CLASSES, tiny_backbone, tiny_classifier

ARRAYS = 6  # Kernel, bias; gamma, beta, mean, variance.


def trained(model):
    """Gives a model weights that no initializer makes."""
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


def assert_same_weights(model, other):
    for one, two in zip(model.weights, other.weights, strict=True):
        assert_array_equal(one, two)


def auto_named(start=0, filters=(4, 5)):
    """Two convolutions that Keras names, after `start` others of a process."""
    keras.utils.clear_session()
    for _ in range(start):
        keras.layers.Conv2D(1, 1)
    x = images = keras.Input((8, 8, 3))
    for count in filters:
        x = keras.layers.Conv2D(count, 3, padding="same")(x)
    return keras.Model(images, x, name="auto")


@pytest.fixture(params=["backbone.weights.h5", "model.weights.h5", "a.keras"])
def source(request, tmp_path):
    """A file with a tiny backbone, and that backbone."""
    model = trained(tiny_classifier())
    path = tmp_path / request.param
    if request.param == "backbone.weights.h5":
        model.backbone.save_weights(path)
    elif request.param == "model.weights.h5":
        model.save_weights(path)
    else:
        model.save(path)
    return path, model.backbone


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    backbone = tiny_backbone()
    path = tmp_path / "diverged.weights.h5"
    kernel = backbone.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, value))
    backbone.save_weights(path)
    backbone = tiny_backbone()
    message = "^Cannot read .*diverged.weights.h5: its weights .*kernel are NaN"
    with pytest.raises(ValueError, match=message):
        load_weights(backbone, path, backbone)


def test_all_of_a_backbone_is_loaded(source):
    path, expected = source
    backbone = tiny_backbone()
    report = load_weights(backbone, path, backbone)
    assert_same_weights(backbone, expected)
    alone = path.name.startswith("backbone")
    assert report == WeightsReport(
        backbone="tiny",
        loaded=("conv", "norm"),
        arrays=ARRAYS,
        missing=(),
        missing_arrays=0,
        unused=() if alone else ("head", "gate"),
        source=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    assert report.path == str(path)
    left = "" if alone else "; not taken: head, gate"
    assert str(report) == (
        f"Loaded 6 of 6 arrays of tiny from {path} "
        f"(sha256 {report.sha256[:12]}...){left}"
    )


def test_a_run_gives_its_model(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    model = trained(tiny_classifier())
    model.save(run / "model.keras")
    backbone = tiny_backbone()
    report = load_weights(backbone, run, backbone)
    assert_same_weights(backbone, model.backbone)
    assert report.source == str(run)
    digest = hashlib.sha256((run / "model.keras").read_bytes()).hexdigest()
    assert report.sha256 == digest


def test_other_classes_do_not_matter(tmp_path):
    other = trained(CSGClassifier(tiny_backbone(), CLASSES - 2, gated=False))
    other.save(tmp_path / "other.keras")
    backbone = tiny_backbone()
    report = load_weights(backbone, tmp_path / "other.keras", backbone)
    assert_same_weights(backbone, other.backbone)
    assert report.unused == ("head",)


def test_a_relative_path_is_told_as_an_absolute_one(tmp_path, monkeypatch):
    backbone = tiny_backbone()
    backbone.save_weights(tmp_path / "a.weights.h5")
    monkeypatch.chdir(tmp_path)
    report = load_weights(backbone, "a.weights.h5", backbone)
    assert report.path == str(tmp_path / "a.weights.h5")


def test_what_lies_behind_the_gate_is_not_needed(tmp_path):
    trained(tiny_backbone()).save_weights(tmp_path / "whole.weights.h5")
    cut = tiny_backbone(normalized=False)
    trained(cut).save_weights(tmp_path / "cut.weights.h5")
    backbone = tiny_backbone()
    used = keras.Model(backbone.input, backbone.get_layer("conv").output)
    report = load_weights(backbone, tmp_path / "whole.weights.h5", used)
    assert (report.loaded, report.unused) == (("conv",), ("norm",))
    load_weights(backbone, tmp_path / "cut.weights.h5", used)
    assert_array_equal(
        backbone.get_layer("conv").kernel, cut.get_layer("conv").kernel
    )


def test_layers_that_keras_named_are_found_by_their_order(tmp_path):
    """By name, the second here would take the first's weights there."""
    first = trained(auto_named(filters=(3, 3)))
    first.save_weights(tmp_path / "a.weights.h5")
    backbone = auto_named(start=1, filters=(3, 3))
    names = [layer.name for layer in backbone.layers]
    assert names[1:] == ["conv2d_1", "conv2d_2"]
    report = load_weights(backbone, tmp_path / "a.weights.h5", backbone)
    assert report.arrays == 4
    assert_same_weights(backbone, first)


def test_a_file_without_names_is_read_by_place(tmp_path):
    model = trained(tiny_classifier())
    path = tmp_path / "a.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        file.visititems(lambda name, item: item.attrs.pop("name", None))
    backbone = tiny_backbone()
    load_weights(backbone, path, backbone)
    assert_same_weights(backbone, model.backbone)


def test_a_model_inside_a_model_is_found(tmp_path):
    inner = trained(tiny_backbone())
    outer = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            inner,
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, name="top"),
        ]
    )
    outer.save(tmp_path / "outer.keras")
    outer.save_weights(tmp_path / "outer.weights.h5")
    for name in ("outer.keras", "outer.weights.h5"):
        backbone = tiny_backbone()
        report = load_weights(backbone, tmp_path / name, backbone)
        assert_same_weights(backbone, inner)
        assert report.unused == ("top",)


def test_layers_within_layers_get_their_weights(tmp_path):
    def attentive():
        images = keras.Input((4, 4, 3))
        x = keras.layers.Reshape((16, 3))(images)
        x = keras.layers.MultiHeadAttention(2, 3, name="attention")(x, x)
        x = keras.layers.Reshape((4, 4, 3))(x)
        return keras.Model(images, x, name="attentive")

    expected = trained(attentive())
    expected.save_weights(tmp_path / "a.weights.h5")
    backbone = attentive()
    report = load_weights(backbone, tmp_path / "a.weights.h5", backbone)
    assert report.arrays == 8
    assert_same_weights(backbone, expected)


def test_given_statistics_of_images_are_loaded_too(tmp_path):
    def normalized():
        images = keras.Input((4, 4, 3))
        x = keras.layers.Normalization(name="normal")(images)
        return keras.Model(images, keras.layers.Conv2D(2, 3, name="conv")(x))

    expected = normalized()
    images = np.random.default_rng(0).uniform(0, 255, (8, 4, 4, 3))
    expected.get_layer("normal").adapt(images)
    for name in ("a.weights.h5", "a.keras"):
        if name.endswith(".keras"):
            expected.save(tmp_path / name)
        else:
            expected.save_weights(tmp_path / name)
        backbone = normalized()
        load_weights(backbone, tmp_path / name, backbone)
        np.testing.assert_allclose(
            backbone(images), expected(images), rtol=1e-6
        )


def other_filters():
    return tiny_backbone(filters=5)


def without_norm():
    return tiny_backbone(normalized=False)


def strange():
    images = keras.Input((8, 8, 3))
    return keras.Model(images, keras.layers.Conv2D(2, 3, name="a")(images))


def without_bias():
    images = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, padding="same", use_bias=False, name="conv")(
        images
    )
    return keras.Model(images, keras.layers.BatchNormalization(name="norm")(x))


@pytest.mark.parametrize(
    "there, words",
    [
        (strange, "0 of 6 arrays fit.*conv, nothing there and"),
        (without_norm, r"2 of 6 arrays fit.*norm, nothing there and \(6,\)"),
        (
            other_filters,
            r"0 of 6 arrays fit.*conv, \(3, 3, 3, 5\) \(5,\) there and "
            r"\(3, 3, 3, 6\) \(6,\) here",
        ),
        (without_bias, r"5 of 6 arrays fit.*conv, \(3, 3, 3, 6\) there"),
    ],
)
def test_a_part_of_the_backbone_is_refused(there, words, tmp_path):
    there().save_weights(tmp_path / "a.weights.h5")
    backbone = trained(tiny_backbone())
    before = backbone.get_weights()
    with pytest.raises(ValueError, match=f"whole backbone tiny: of .*{words}"):
        load_weights(backbone, tmp_path / "a.weights.h5", backbone)
    for old, new in zip(before, backbone.get_weights(), strict=True):
        assert_array_equal(new, old)


def test_an_array_too_many_is_refused(tmp_path):
    tiny_backbone().save_weights(tmp_path / "a.weights.h5")
    backbone = without_bias()
    with pytest.raises(ValueError, match=r"conv, .*\(6,\) there and"):
        load_weights(backbone, tmp_path / "a.weights.h5", backbone)


def test_only_the_file_named_is_read(tmp_path):
    """Not what it links to, and no array that lies in another file."""
    backbone = tiny_backbone()
    backbone.save_weights(tmp_path / "a.weights.h5")
    shutil.copy(tmp_path / "a.weights.h5", tmp_path / "b.weights.h5")
    with h5py.File(tmp_path / "b.weights.h5", "r+") as file:
        del file["layers/conv2d"]
        link = h5py.ExternalLink("a.weights.h5", "layers/conv2d")
        file["layers/conv2d"] = link
    with pytest.raises(ValueError, match="4 of 6 arrays fit.*conv, nothing"):
        load_weights(backbone, tmp_path / "b.weights.h5", backbone)
