"""Runs that start from weights, or of which a part rests."""

import hashlib
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import keras_csg
from keras_csg.backbones.weights import WeightsReport
from keras_csg.training import Run, Trainer, TrainingOptions, trainer
from keras_csg.training.config_files import read_config
from keras_csg.training.pretrained import build_pretrained

QUICK = {
    "image_size": 8,
    "epochs": 2,
    "batch_size": 256,
    "augment": "none",
    "precision": "float32",
    "deterministic": True,
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of weights of resnet20 that no seed makes."""
    keras.utils.set_random_seed(11)
    path = tmp_path_factory.mktemp("weights") / "resnet20.weights.h5"
    keras_csg.create_backbone("resnet20").save_weights(path)
    return path


def no_data(*args, **kwargs):
    raise AssertionError("Data were read.")


def backbone_weights(model):
    return [np.array(weight) for weight in model.backbone.weights]


def test_a_run_starts_from_its_weights(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(weights.parent)
    lines = []
    options = TrainingOptions(weights=weights.name, **QUICK)
    trainer = Trainer(options, tmp_path / "run", log=lines.append)
    trainer.run.unlock()
    expected = keras_csg.create_backbone("resnet20")
    expected.load_weights(weights)
    for old, new in zip(
        expected.weights, backbone_weights(trainer.model), strict=True
    ):
        assert_array_equal(new, old)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert lines == [
        f"Loaded 95 of 95 arrays of resnet20 from {weights} "
        f"(sha256 {digest[:12]}...)"
    ]
    assert str(trainer.model.backbone_weights) == lines[0]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["weights"] == str(weights)
    assert config["weights_sha256"] == digest
    # As options for another run it says nothing of the file.
    assert "weights_sha256" not in read_config(trainer.run.config_path)


@pytest.mark.parametrize("given, size", [({}, 32), ({"image_size": 8}, 8)])
def test_images_get_the_backbones_own_size(given, size, weights, tmp_path):
    options = TrainingOptions(weights=str(weights), **{**QUICK, **given})
    if not given:
        options = options.replace(image_size=None)
    trainer = Trainer(options, tmp_path / "run")
    trainer.run.unlock()
    assert trainer.options.image_size == size
    assert trainer.data.image_shape == (size, size, 3)


def test_random_weights_leave_the_size_to_the_data(tmp_path):
    given = {"weights": "random", "backbone": "resnet18", "image_size": None}
    trainer = Trainer(TrainingOptions(**{**QUICK, **given}), tmp_path / "run")
    trainer.run.unlock()
    assert trainer.data.image_shape == (32, 32, 3)  # Not the backbone's 224.
    assert trainer.options.weights == "random"
    assert trainer.model.backbone_weights is None


@pytest.mark.parametrize(
    "options, match",
    [
        ({"weights": "nowhere.weights.h5"}, "nowhere.weights.h5"),
        ({"backbone": "resnet32"}, "95 of 155 arrays fit.*_block4"),
        ({"weights": "imagenet"}, "weights='imagenet'"),
        ({"gate_at": "nowhere"}, "nowhere"),
        ({"freeze": 1000}, "freeze=1000"),
    ],
)
def test_weights_are_refused_before_data_are_read(
    options, match, weights, tmp_path, monkeypatch
):
    monkeypatch.setattr(trainer, "load_data_for", no_data)
    options = TrainingOptions(**{**QUICK, "weights": str(weights), **options})
    with pytest.raises(ValueError, match=match):
        Trainer(options, tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Stop(keras.callbacks.Callback):
    """Ends a training as a kill after its first epoch does."""

    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def variables(trainer):
    owners = (trainer.model, trainer.model.optimizer)
    return [np.array(v) for owner in owners for v in owner.variables]


@pytest.mark.slow
@pytest.mark.parametrize(
    "freeze, filters", [("all", 12), (5, None), ("statistics", None)]
)
def test_a_resumed_run_is_never_stopped_bit_for_bit(
    freeze, filters, weights, tmp_path
):
    file = shutil.copy(weights, tmp_path / "file.weights.h5")
    options = TrainingOptions(
        weights=str(file),
        freeze=freeze,
        filters=filters,
        learning_rate=1e-4,
        **QUICK,
    )
    whole = Trainer(options, tmp_path / "whole")
    whole.train()
    torn = Trainer(options, tmp_path / "torn")
    with pytest.raises(KeyboardInterrupt):
        torn.train([Stop()])
    pathlib.Path(file).unlink()  # A backup holds all variables.
    stopped = Run(tmp_path / "torn")
    assert stopped.options.freeze == freeze
    resumed = Trainer(stopped.options, stopped.path, resume=True)
    assert resumed.first_epoch == 1
    assert resumed.model.frozen == whole.model.frozen
    resumed.train()
    for old, new in zip(variables(whole), variables(resumed), strict=True):
        assert_array_equal(new, old)
    loaded = stopped.load_model()
    assert loaded.frozen == whole.model.frozen


def test_a_resumed_run_needs_no_file_of_weights(tmp_path):
    gone = tmp_path / "gone.weights.h5"
    options = TrainingOptions(
        **{**QUICK, "weights": str(gone), "head_epochs": 20, "freeze": 5}
    )
    kept, backbone, report = build_pretrained(options, restored=True)
    assert (kept.weights, kept.head_epochs) == (str(gone), 20)
    assert report is None
    assert not all(layer.trainable for layer in backbone.layers)


@pytest.mark.slow
def test_a_run_stopped_before_its_first_backup_reads_the_file_again(
    weights, tmp_path
):
    file = shutil.copy(weights, tmp_path / "file.weights.h5")
    options = TrainingOptions(weights=str(file), freeze=5, **QUICK)
    stopped = Trainer(options, tmp_path / "run")
    stopped.run.unlock()  # As if killed in its first epoch.
    resumed = Trainer(stopped.run.options, stopped.run.path, resume=True)
    resumed.run.unlock()
    for old, new in zip(
        stopped.model.backbone.weights,
        resumed.model.backbone.weights,
        strict=True,
    ):
        assert_array_equal(new, old)
    keras_csg.create_backbone("resnet20").save_weights(file)
    with pytest.raises(ValueError, match="not the file that .* started with"):
        Trainer(stopped.run.options, stopped.run.path, resume=True)
    pathlib.Path(file).unlink()
    with pytest.raises(ValueError, match="file.weights.h5"):
        Trainer(stopped.run.options, stopped.run.path, resume=True)


def test_a_run_of_0_1_0_goes_on_from_weights_by_name(tmp_path):
    run = Run(tmp_path)
    run.config_path.write_text('{"weights": "imagenet"}')
    known = {"arrays": 2, "missing": (), "missing_arrays": 0, "unused": ()}
    report = WeightsReport("vgg16", ("conv",), source="imagenet", **known)
    run.check_weights(report)
    report = WeightsReport(
        "vgg16", ("conv",), source="a.keras", sha256="1f", **known
    )
    with pytest.raises(ValueError, match="start another run"):
        run.check_weights(report)


@pytest.mark.parametrize(
    "options", [{"gate_warmup": 2}, {"gate_schedule": "alternating"}]
)
def test_a_gate_that_never_trains_is_told_before(options, tmp_path):
    lines = []
    options = TrainingOptions(**options, **QUICK)
    Trainer(options, tmp_path / "run", log=lines.append).run.unlock()
    assert any("In 2 epochs the gated path never trains" in x for x in lines)


def test_a_run_with_other_classes_gives_its_backbone(tmp_path):
    first = Run(tmp_path / "first")
    first.create(TrainingOptions())
    model = keras_csg.build("resnet20", 4)
    first.save_model(model)
    first.unlock()
    options = TrainingOptions(weights=str(first.path), **QUICK)
    lines = []
    second = Trainer(options, tmp_path / "second", log=lines.append)
    second.run.unlock()
    assert second.model.num_classes == 10
    for old, new in zip(
        backbone_weights(model),
        backbone_weights(second.model),
        strict=True,
    ):
        assert_array_equal(new, old)
    assert lines[0].endswith("; not taken: head, gate")
    config = json.loads((tmp_path / "second" / "config.json").read_text())
    assert config["weights"] == str(tmp_path / "first")
    digest = hashlib.sha256(first.model_path.read_bytes()).hexdigest()
    assert config["weights_sha256"] == digest


@pytest.mark.parametrize(
    "options, said",
    [
        ({"freeze": "all"}, True),
        ({"freeze": "all", "filters": 12}, False),
        ({"freeze": "all", "standard": True}, False),
        ({"freeze": "statistics"}, False),
        ({"freeze": 3}, False),
    ],
)
def test_resting_filters_cannot_become_class_specific(
    options, said, weights, tmp_path
):
    lines = []
    trainer = Trainer(
        TrainingOptions(**options, **QUICK, weights=str(weights)),
        tmp_path / "run",
        log=lines.append,
    )
    trainer.run.unlock()
    assert lines.pop(0).startswith("Loaded 95 of 9")
    assert [line for line in lines if "`filters`" in line] == lines
    assert len(lines) == said
