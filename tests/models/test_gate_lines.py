"""What `fit` says of a gate that has not closed, and why it has not."""

import warnings

import keras
import numpy as np
import pytest

from keras_csg.models.gate_scheduler import GateScheduler
from tests.tiny import ListedSchedule, tiny_classifier, tiny_data

pytestmark = pytest.mark.slow


def lines_of(model, **kwargs):
    """Trains, and returns what was said of the gate."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*tiny_data(64), batch_size=8, verbose=0, **kwargs)
    lines = [str(warning.message) for warning in caught]
    return [line for line in lines if "ended at a density" in line]


class BestEpoch(keras.callbacks.Callback):
    """Puts back the weights of one epoch at the end."""

    def __init__(self, best):
        super().__init__()
        self.best = best

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.best:
            self.weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


def compiled(**kwargs):
    model = tiny_classifier(**kwargs)
    model.compile("adam")
    return model


def test_weights_of_an_epoch_before_it_closed():
    model = compiled()
    (line,) = lines_of(model, epochs=6, callbacks=[BestEpoch(0)])
    density = np.mean(model.gate.gate_matrix)
    assert density > 0.3
    assert f"a density of {density:.4f}, not at 0.2500: the weights are" in line
    assert "`start_from_epoch`" in line


def test_nothing_is_said_of_weights_from_after_it():
    assert lines_of(compiled(), epochs=6, callbacks=[BestEpoch(4)]) == []


def test_training_that_ended_too_early():
    (line,) = lines_of(compiled(closing_steps=100), epochs=2)
    assert "training ended before it closed" in line


@pytest.mark.parametrize("lambda_2", [None, 0.1])
def test_a_gate_that_no_epoch_trained(lambda_2):
    model = compiled(lambda_2=lambda_2, schedule=ListedSchedule([(1, 0)]))
    lines = []
    scheduler = GateScheduler(report=lines.append)
    model.fit(*tiny_data(64), verbose=0, callbacks=[scheduler])
    (line,) = lines
    assert "1.0000, not at 0.2500: no epoch trained the gated path;" in line


def test_weights_that_are_no_numbers():
    model = tiny_classifier()
    model.compile(keras.optimizers.SGD(1e30))
    (line,) = lines_of(model, epochs=2)
    assert "the weights are not finite any more" in line
