"""A run ends with statistics of batch normalization that fit it."""

import json

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from keras_csg.layers.batch_statistics import layers_with_statistics
from keras_csg.training import Trainer, TrainingOptions

OPTIONS = TrainingOptions(
    image_size=8, batch_size=256, epochs=1, precision="float32"
)


def assert_measured(trainer, lines=()):
    """The first layer's, against its input over an epoch's images."""
    plain = any("those of plain images" in line for line in lines)
    model = keras.saving.load_model(trainer.run.model_path)
    conv, norm = [
        next(layer for layer in model.layers if isinstance(layer, kind))
        for kind in (keras.layers.Conv2D, keras.layers.BatchNormalization)
    ]
    batches = trainer.data.train.training_batches(
        256,
        seed=0,
        augmentation="none" if plain else trainer.options.augment,
    )
    images = np.concatenate([images for images, _ in batches])
    given = keras.Model(model.inputs, conv.output).predict(images, verbose=0)
    mean, variance = norm.get_weights()[-2:]
    assert_allclose(mean, given.mean(axis=(0, 1, 2)), rtol=1e-3, atol=1e-3)
    assert_allclose(variance, given.var(axis=(0, 1, 2)), rtol=1e-3)


@pytest.mark.slow
def test_statistics_are_those_of_the_images_it_was_trained_on(tmp_path):
    lines = []
    trainer = Trainer(OPTIONS, tmp_path / "run", log=lines.append)
    assert trainer.options.augment == "crop"
    trainer.train()
    assert_measured(trainer, lines)


@pytest.mark.slow
def test_a_run_that_has_only_to_be_finished_is_measured(tmp_path, monkeypatch):
    def stop(self):
        raise KeyboardInterrupt

    trainer = Trainer(OPTIONS, tmp_path / "run")
    monkeypatch.setattr(Trainer, "_finish", stop)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    monkeypatch.undo()
    lines = []
    again = Trainer(
        trainer.run.options, tmp_path / "run", resume=True, log=lines.append
    )
    assert again.first_epoch == 1
    again.train()
    assert_measured(again, lines)


def test_the_choice_is_kept(tmp_path):
    options = OPTIONS.replace(batch_statistics="running")
    trainer = Trainer(options, tmp_path / "run")
    trainer.run.unlock()
    config = json.loads(trainer.run.config_path.read_text())
    assert config["batch_statistics"] == "running"
    again = Trainer(trainer.run.options, tmp_path / "run", resume=True)
    again.run.unlock()
    assert again.model.batch_statistics == "running"


@pytest.mark.slow
def test_running_averages_are_not_measured_again(tmp_path):
    options = OPTIONS.replace(batch_statistics="running")
    trainer = Trainer(options, tmp_path / "run")
    trainer.train()
    with pytest.raises(AssertionError):
        assert_measured(trainer)


@pytest.mark.slow
def test_a_slow_network_on_few_images_learns_to_test_as_well(tmp_path):
    """Keras's momentum of 0.999 leaves it at a test accuracy of 0.1."""
    options = TrainingOptions(image_size=32, backbone="mobilenetv3small")
    trainer = Trainer(options, tmp_path / "run")
    assert trainer.train()["accuracy"] > 0.9
    accuracy = trainer.run.history.column("val_accuracy")
    assert len(accuracy) == 20
    assert accuracy[5] > 0.7  # The figures of the epochs, too.
    assert np.mean(accuracy[10:]) > 0.9


def test_another_momentum(tmp_path):
    own = Trainer(OPTIONS, tmp_path / "own").model
    options = OPTIONS.replace(bn_momentum=0.5)
    trainer = Trainer(options, tmp_path / "run")
    assert {layer.momentum for layer in layers_with_statistics(own)} == {0.9}
    found = layers_with_statistics(trainer.model)
    assert {layer.momentum for layer in found} == {0.5}
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(found[0])
    )
    assert again.momentum == 0.5


def test_a_momentum_of_nothing_is_refused(tmp_path):
    options = OPTIONS.replace(bn_momentum=0.5, backbone="vgg16", image_size=32)
    with pytest.raises(ValueError, match="vgg16 has no batch normalization"):
        Trainer(options, tmp_path / "run")
    assert not (tmp_path / "run").exists()
