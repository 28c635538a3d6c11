"""The best epoch on the validation split is kept, with its gate."""

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run
from keras_csg.training.callbacks import BestEpoch
from keras_csg.training.callbacks.best_epoch import closed_density
from keras_csg.training.history import History
from tests.tiny import registered_tiny

OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "precision": "float32",
    "batch_statistics": "running",
    "log": None,
}


def history_of(path, rows):
    history = History(path)
    for number, (accuracy, own, density) in enumerate(rows, start=1):
        row = {"epoch": number, "val_accuracy": accuracy}
        if own is not None:
            row["val_class_specific_accuracy"] = own
            row["l1_density"] = density
        history.append(row)
    return history


def test_only_epochs_with_a_closed_gate_count(tmp_path):
    rows = [(0.9, 0.9, 0.8), (0.5, 0.5, 0.1), (0.6, 0.7, 0.1), (0.7, 0.5, 0.1)]
    path = history_of(tmp_path / "history.csv", rows)
    assert BestEpoch(tmp_path, path, 2, density=0.1).best == 3
    assert BestEpoch(tmp_path, path, 2, density=None).best == 1
    assert not BestEpoch(tmp_path, path, 2, density=0.1).is_exhausted()
    assert BestEpoch(tmp_path, path, 1, density=0.1).is_exhausted()
    nothing = history_of(tmp_path / "open.csv", rows[:1])
    assert BestEpoch(tmp_path, nothing, 1, density=0.1).best is None
    assert not BestEpoch(tmp_path, nothing, 1, density=0.1).is_exhausted()


def test_a_gate_that_cannot_close_further_is_closed(tmp_path, tiny):
    with pytest.warns(UserWarning, match="filters"):
        model = keras_csg.build(
            tiny, 10, input_shape=(8, 8, 3), filters=4, density=0.1
        )
    assert closed_density(model) == 1 / 4
    path = history_of(tmp_path / "history.csv", [(0.5, 0.5, 0.25)])
    assert BestEpoch(tmp_path, path, 2, closed_density(model)).best == 1


def test_of_a_standard_network_there_is_one_accuracy(tmp_path):
    rows = [(0.5, None, None), (0.8, None, None), (0.8, None, None)]
    path = history_of(tmp_path / "history.csv", rows)
    # Of equals the first.
    assert BestEpoch(tmp_path, path, 1, density=None).best == 2


class Spoil(keras.callbacks.Callback):
    """Makes every epoch from the fifth on a bad one, as noise would."""

    def __init__(self):
        super().__init__()
        self.kept = None

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 4:
            self.kept = self.model.get_weights()

    def on_train_batch_end(self, batch, logs=None):
        if self.kept is not None:
            kernel = self.model.head.kernel
            kernel.assign(np.zeros(kernel.shape))


class Halt(keras.callbacks.Callback):
    """Stops a training in an epoch, as a kill would."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="module", autouse=True)
def tiny():
    with registered_tiny() as name:
        yield name


def test_training_stops_and_keeps_the_best(tmp_path, tiny):
    spoil = Spoil()
    path = tmp_path / "run"
    keras_csg.train(
        path, backbone=tiny, epochs=8, patience=2, callbacks=[spoil], **OPTIONS
    )
    run = Run(path)
    best = int(
        np.argmax(
            np.where(
                np.array(run.history.column("l1_density")) < 0.11,
                np.array(run.history.column("val_accuracy"))
                + run.history.column("val_class_specific_accuracy"),
                -1,
            )
        )
    )
    assert best <= 4 and len(run.history.rows) == best + 3
    model = run.load_model()
    assert np.abs(model.head.get_weights()[0]).max() > 0
    if best == 3:
        for ours, kept in zip(model.get_weights(), spoil.kept, strict=True):
            np.testing.assert_array_equal(ours, kept)
    assert not run.backup_path.exists()


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_end(tmp_path, tiny):
    options = {"backbone": tiny, "epochs": 5, "patience": 4, **OPTIONS}
    keras_csg.train(tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(tmp_path / "run", callbacks=[Halt(4)], **options)
    keras_csg.train(tmp_path / "run", resume=True, log=None)
    for ours, theirs in zip(
        Run(tmp_path / "whole").load_model().get_weights(),
        Run(tmp_path / "run").load_model().get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
