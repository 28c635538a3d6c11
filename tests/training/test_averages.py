"""A training that ends with the averages of its weights."""

import json

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run, TrainingOptions
from keras_csg.training.callbacks import GateFreeMetrics
from keras_csg.training.optimizers import ema_momentum, shortened_average
from keras_csg.training.run_data import load_run_data
from tests.training.photos import Halt, check_same_weights

OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "backbone": "tiny",
    "precision": "float32",
    "batch_statistics": "running",
    "learning_rate": 0.02,
    "batch_size": 256,
    "ema": 0.7,
    "log": None,
}


class Recording(keras.callbacks.Callback):
    """Keeps what is optimized after each step, and what is validated."""

    def __init__(self):
        super().__init__()
        self.steps, self.validated = [], []

    def _values(self):
        kernel = self.model.head.kernel
        return keras.ops.convert_to_numpy(kernel).copy()

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self._values())

    def on_test_batch_end(self, batch, logs=None):
        self.validated.append((len(self.steps), self._values()))


def averages(steps, momentum):
    """The average after each step, from the first step's weights on."""
    found = [steps[0]]
    for values in steps[1:]:
        found.append(momentum * found[-1] + (1 - momentum) * values)
    return found


@pytest.mark.parametrize("options", [{}, {"standard": True}])
def test_it_validates_and_ends_with_averages(tiny, tmp_path, options):
    recording = Recording()
    keras_csg.train(
        tmp_path / "run",
        epochs=6,
        callbacks=[recording],
        **OPTIONS,
        **options,
    )
    run = Run(tmp_path / "run")
    momentum = run.options.ema
    assert momentum == 0.7
    expected = averages(recording.steps, momentum)
    for steps, values in recording.validated:
        np.testing.assert_allclose(values, expected[steps - 1], atol=1e-5)
    # The last step's weights are others.
    assert np.abs(recording.steps[-1] - expected[-1]).max() > 1e-4
    kept = keras.ops.convert_to_numpy(run.load_model().head.kernel)
    np.testing.assert_allclose(kept, expected[-1], atol=1e-5)


def test_the_trust_curve_is_theirs(tiny, tmp_path):
    options = {**OPTIONS, "epochs": 4, "lr_schedule": "constant"}
    keras_csg.train(tmp_path / "run", trust_curve=True, **options)
    run, logs = Run(tmp_path / "run"), {}
    model = run.load_model()
    data = load_run_data(run, model)
    curve = GateFreeMetrics(data.validation.batches(256))
    curve.set_model(model)
    curve.on_epoch_end(0, logs)
    columns = run.history.columns()
    for name in ("val_mis", "val_accuracy"):
        assert columns[name][-1] == pytest.approx(logs[name])


def test_the_gate_of_a_budget_is_no_average(tiny, tmp_path):
    keras_csg.train(tmp_path / "run", epochs=4, **OPTIONS)
    model = Run(tmp_path / "run").load_model()
    gate = keras.ops.convert_to_numpy(model.gate.gate_matrix)
    np.testing.assert_array_equal(np.unique(gate), [0, 1])
    assert gate.mean() == pytest.approx(0.1)


@pytest.mark.slow
def test_a_resumed_training_has_the_same_averages(tiny, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    options = {**OPTIONS, "epochs": 4, "deterministic": True}
    keras_csg.train(whole, **options)
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(torn, callbacks=[Halt()], **options)
    keras_csg.train(torn, resume=True, log=None)
    check_same_weights(whole, torn)


@pytest.mark.slow
def test_a_training_killed_after_its_last_epoch_ends_with_them(
    tiny, tmp_path, monkeypatch
):
    """Then `fit` has nothing left to do."""
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    options = {**OPTIONS, "epochs": 2, "deterministic": True}
    keras_csg.train(whole, **options)
    with monkeypatch.context() as patch:
        patch.setattr(
            "keras_csg.training.trainer.evaluate_classification",
            lambda *args: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            keras_csg.train(torn, **options)
    keras_csg.train(torn, resume=True, log=None)
    kernels = [
        keras.ops.convert_to_numpy(Run(path).load_model().head.kernel)
        for path in (whole, torn)
    ]
    np.testing.assert_array_equal(*kernels)


def test_few_steps_get_a_shorter_memory_and_it_is_said():
    options = TrainingOptions(ema=0.999, epochs=2)
    assert ema_momentum(options, 50) == pytest.approx(0.9)
    assert shortened_average(options, 50) == (
        "Averages of weights: momentum 0.9, not 0.999, for 100 steps"
    )
    assert ema_momentum(options, 50_000) == 0.999
    assert shortened_average(options, 50_000) == ""
    assert shortened_average(options.replace(ema=None), 1) == ""


@pytest.mark.slow
def test_what_was_asked_for_is_kept_for_more_epochs(tiny, tmp_path):
    path, lines = tmp_path / "run", []
    keras_csg.train(path, epochs=1, **{**OPTIONS, "ema": 0.999})
    assert Run(path).options.ema == 0.999
    keras_csg.train(path, resume=True, epochs=20, log=lines.append)
    assert any("momentum 0.9167, not 0.999, for 120" in line for line in lines)
    momentum = Run(path).load_model().optimizer.ema_momentum
    assert momentum == pytest.approx(1 - 10 / 120)


def test_with_a_penalty_it_is_refused_before_anything_is_written(
    tiny, tmp_path
):
    with pytest.raises(keras_csg.InputError, match="`ema` averages what"):
        keras_csg.train(tmp_path / "run", lambda_2=0.1, epochs=1, **OPTIONS)
    assert not (tmp_path / "run").exists()
    config = json.dumps({"ema": 1.5})
    path = tmp_path / "config.json"
    path.write_text(config)
    with pytest.raises(keras_csg.InputError, match="`ema` must be above 0"):
        keras_csg.train(tmp_path / "run", config=path, log=None)
