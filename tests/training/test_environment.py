import random

import keras
import numpy as np
import pytest

from keras_csg import private_api
from keras_csg.training import Trainer, TrainingOptions
from keras_csg.training.environment import TrainingEnvironment

tf = pytest.importorskip("tensorflow")


def state():
    return (
        keras.config.dtype_policy().name,
        private_api.op_determinism(),
        private_api.global_seed(),
        random.getstate(),
        np.random.get_state()[1].tolist(),
    )


def test_what_was_there_comes_back():
    random.seed(1)
    np.random.seed(2)
    tf.random.set_seed(3)
    before = state()
    with TrainingEnvironment("mixed_bfloat16", seed=5, deterministic=True):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert private_api.op_determinism()
        assert private_api.global_seed() == 5
        random.random()
        np.random.rand()
    assert state() == before


def test_what_was_there_comes_back_after_an_error_too():
    before = state()
    with pytest.raises(RuntimeError, match="stop"):
        with TrainingEnvironment("mixed_float16", seed=5, deterministic=False):
            raise RuntimeError("stop")
    assert state() == before


def test_determinism_that_was_asked_for_elsewhere_stays():
    tf.config.experimental.enable_op_determinism()
    try:
        with TrainingEnvironment("float32", seed=0, deterministic=True):
            pass
        assert private_api.op_determinism()
    finally:
        private_api.disable_op_determinism()


def test_random_numbers_go_on_where_they_left_off():
    def draws(environment):
        with environment:
            return random.random(), np.random.rand()

    whole = TrainingEnvironment("float32", seed=4, deterministic=False)
    with whole:
        expected = [(random.random(), np.random.rand()) for _ in range(2)]
    parted = TrainingEnvironment("float32", seed=4, deterministic=False)
    given = [draws(parted)]
    random.seed(99)
    np.random.seed(99)
    given.append(draws(parted))
    assert given == expected


def library_draws():
    """Numbers from the streams that the libraries keep for themselves."""
    return (
        keras.ops.convert_to_numpy(keras.random.uniform((3,))).tolist(),
        tf.random.uniform((3,)).numpy().tolist(),
        keras.random.SeedGenerator().next().numpy().tolist(),
    )


@pytest.mark.slow
def test_the_libraries_streams_go_on_as_if_nothing_had_been_between(
    tmp_path, tiny_name
):
    keras.utils.set_random_seed(8)
    expected = [library_draws() for _ in range(3)]
    keras.utils.set_random_seed(8)
    given = [library_draws()]
    options = TrainingOptions(
        seed=3, epochs=1, image_size=8, batch_size=256, backbone=tiny_name
    )
    trainer = Trainer(options, tmp_path / "run")
    given.append(library_draws())
    trainer.train()
    given.append(library_draws())
    assert given == expected


def test_the_libraries_streams_go_on_inside_too():
    environment = TrainingEnvironment("float32", seed=4, deterministic=False)
    with environment:
        expected = [library_draws() for _ in range(2)]
    parted = TrainingEnvironment("float32", seed=4, deterministic=False)
    with parted:
        given = [library_draws()]
    library_draws()
    with parted:
        given.append(library_draws())
    assert given == expected


def test_a_trainer_leaves_the_process_as_it_was(tmp_path, tiny_name):
    options = TrainingOptions(
        backbone=tiny_name,
        precision="mixed_bfloat16",
        deterministic=True,
        seed=3,
        epochs=1,
    )
    before = state()
    trainer = Trainer(options, tmp_path / "run")
    trainer.run.unlock()
    assert state() == before
    assert trainer.model.backbone.dtype_policy.name == "mixed_bfloat16"


class Stop(keras.callbacks.Callback):
    """Interrupts a training as a user does."""

    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def test_an_interrupted_training_can_be_gone_on_with_in_its_process(
    tmp_path, tiny_name
):
    """It lets go of its directory and of what it set."""
    options = TrainingOptions(
        backbone=tiny_name,
        precision="mixed_bfloat16",
        epochs=2,
        image_size=8,
        batch_size=256,
    )
    before = state()
    trainer = Trainer(options, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        trainer.train(callbacks=[Stop()])
    assert state() == before
    again = Trainer(trainer.run.options, tmp_path / "run", resume=True)
    assert again.first_epoch == 1
    with pytest.raises(ValueError, match="Another process"):
        trainer.run.lock()
    again.run.unlock()
