"""Runs whose backbone is a preset of KerasHub."""

import json
import shutil

import keras
import numpy as np
import pytest
import scipy.special
from numpy.testing import assert_allclose

import keras_csg
from keras_csg.data import load_data
from keras_csg.training import Run, Trainer, TrainingOptions
from keras_csg.training.pretrained import build_pretrained
from keras_csg.training.recipes import fill_in, with_recipe
from keras_csg.training.run_folders import free_directory
from tests.backbones.small_presets import save_preset

keras_hub = pytest.importorskip(
    "keras_hub", reason="keras-hub is not installed: keras-csg[hub]"
)

QUICK = {
    "image_size": 16,
    "epochs": 1,
    "head_epochs": 1,
    "batch_size": 128,
    "augment": "none",
    "precision": "float32",
}


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "small_vgg"
    save_preset(folder, "VGG")
    return folder


@pytest.mark.slow
def test_a_run_trains_exports_and_is_read_again(preset, tmp_path, monkeypatch):
    monkeypatch.chdir(preset.parent)
    mine = shutil.copytree("small_vgg", "mine")
    lines = []
    keras_csg.train(
        tmp_path / "run", backbone=f"hub:{mine}", log=lines.append, **QUICK
    )
    assert "Loaded 4 of 4 arrays of mine from preset" in lines
    run = Run(tmp_path / "run")
    config = json.loads(run.config_path.read_text())
    assert config["backbone"] == f"hub:{preset.parent / 'mine'}"
    assert config["weights"] == "preset"
    assert config["optimizer"] == "adamw"

    shutil.rmtree(mine)  # A run is whole without it.
    model = run.load_model()
    assert isinstance(model, keras_csg.CSGClassifier)
    keras_csg.export(model, tmp_path / "model.onnx")
    answers = keras_csg.deployment.open_exported(tmp_path / "model.onnx")
    data = load_data("digits", image_size=16)
    images, _ = data.test.images_and_labels()
    images = images[:8].astype("float32")
    logits = model.predict(images, verbose=0)
    assert_allclose(
        answers.answer(images)["probabilities"],
        scipy.special.softmax(logits, axis=-1),
        atol=1e-4,
    )


class Stop(keras.callbacks.Callback):
    """Ends a training as a kill after its first epoch does."""

    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def test_a_stopped_run_goes_on_without_the_presets_weights(preset, tmp_path):
    mine = shutil.copytree(preset, tmp_path / "preset")
    options = TrainingOptions(
        backbone=f"hub:{mine}", **{**QUICK, "epochs": 2, "head_epochs": 0}
    )
    first = Trainer(options, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        first.train([Stop()])
    (mine / "model.weights.h5").unlink()
    stopped = Run(tmp_path / "run")
    second = Trainer(stopped.options, stopped.path, resume=True)
    second.run.unlock()
    assert second.first_epoch == 1
    for old, new in zip(first.model.weights, second.model.weights, strict=True):
        np.testing.assert_array_equal(new, old)


def test_images_get_the_presets_size(preset):
    options = TrainingOptions(backbone=f"hub:{preset}")
    options, backbone, report = build_pretrained(options, restored=False)
    assert options.image_size == 32
    assert backbone.input_shape == (None, 32, 32, 3)
    assert report.source == "preset"


def test_weights_are_the_presets_unless_somebody_says():
    assert TrainingOptions(backbone="hub:any").weights == "preset"
    assert TrainingOptions(backbone="hub:any").pretrained
    assert TrainingOptions(backbone="hub:any", freeze="all").freeze == "all"
    random = {"backbone": "hub:any", "weights": "random"}
    assert not TrainingOptions(**random).pretrained
    with pytest.raises(ValueError, match="`freeze`.*weights='random'"):
        TrainingOptions(**random, freeze="all")


@pytest.mark.parametrize(
    "family, weights, optimizer, rate",
    [
        ("ResNet", None, "adamw", 1e-3),
        ("ResNet", "random", "sgd", 0.1),
        ("VGG", None, "adamw", 1e-4),
        ("VGG", "random", "adamw", 1e-4),
        ("EfficientNet", None, "adamw", 1e-3),
        ("EfficientNet", "random", "adamw", 3e-3),
    ],
)
def test_the_family_chooses_the_rates(
    family, weights, optimizer, rate, tmp_path
):
    save_preset(tmp_path, family)
    data = load_data("digits", image_size=16)
    asked = TrainingOptions(backbone=f"hub:{tmp_path}", weights=weights)
    options = fill_in(asked, data)
    assert options.optimizer == optimizer
    assert options.learning_rate == pytest.approx(rate)
    assert (options.head_epochs > 0) == (weights is None)


def test_the_recipe_for_pretrained_weights_needs_no_others(preset):
    options = with_recipe({"recipe": "fine-tune", "backbone": f"hub:{preset}"})
    assert options["weights"] == "preset"
    assert options["head_epochs"] == 20


@pytest.mark.parametrize(
    "backbone, name",
    [
        ("hub:resnet_18_imagenet", "digits-resnet_18_imagenet-gated-1"),
        ("hub:hf://keras/vgg_11", "digits-vgg_11-gated-1"),
        ("hub:/presets/mine/", "digits-mine-gated-1"),
    ],
)
def test_a_runs_directory_is_called_after_the_preset(
    backbone, name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    options = TrainingOptions(backbone=backbone)
    assert free_directory(options).name == name
