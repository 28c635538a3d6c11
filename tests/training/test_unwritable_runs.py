"""A training that cannot write says which file, and what is kept of it."""

import contextlib
import shutil

import keras
import pytest

import keras_csg
from keras_csg.training import Run, Trainer, TrainingOptions
from keras_csg.training.backup_files import newest_epoch
from tests.training.test_damaged_runs import OPTIONS

resource = pytest.importorskip("resource")
KILOBYTES = 4


@contextlib.contextmanager
def no_large_files():
    """Lets this process write files of a few kilobytes alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = (KILOBYTES * 1024, before[1])
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class InEpoch(keras.callbacks.Callback):
    """Does something at the start of an epoch."""

    def __init__(self, epoch, call):
        super().__init__()
        self.epoch, self.call = epoch, call

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.call()


def resumed(path):
    """Returns what would go on with a run."""
    trainer = Trainer(Run(path).options, path, resume=True)
    trainer.run.unlock()
    return trainer


def fails(path, epoch, call):
    with pytest.raises(keras_csg.InputError) as error:
        keras_csg.train(path, callbacks=[InEpoch(epoch, call)], **OPTIONS)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_that_may_not_grow_costs_no_epoch(tiny, tmp_path):
    path = tmp_path / "run"
    with contextlib.ExitStack() as stack:
        message = fails(path, 2, lambda: stack.enter_context(no_large_files()))
    assert f"{path / 'backup' / 'epoch-0003.npz'}: File too large" in message
    assert "Its 2 epochs are kept" in message
    assert f"go on with keras-csg train --resume --out {path}" in message
    assert newest_epoch(path / "backup") == 2
    assert not list(path.rglob("*.part*")) and not list(path.glob(".*"))
    assert resumed(path).first_epoch == 2


def test_a_folder_that_vanishes_is_said(tiny, tmp_path):
    path = tmp_path / "run"
    message = fails(path, 1, lambda: shutil.rmtree(path))
    assert f"{path / 'backup'}" in message
    assert "is not there any more: start it again" in message
    assert not path.exists()


def test_the_model_that_cannot_be_written_is_named(tiny, tmp_path, monkeypatch):
    path = tmp_path / "run"
    real = Run.save_model

    def full(run, model):
        with no_large_files():
            real(run, model)

    monkeypatch.setattr(Run, "save_model", full)
    message = fails(path, 9, lambda: None)
    assert f"{path / 'model.keras'}: File too large" in message
    assert "Its 4 epochs are kept" in message
    monkeypatch.undo()
    # Though there is nothing left to train.
    assert resumed(path).model.epochs_trained == 4


def test_two_trainings_do_not_share_a_folder(tiny, tmp_path):
    path = tmp_path / "run"
    options = {k: v for k, v in OPTIONS.items() if k != "log"}
    first = Trainer(TrainingOptions(**options), path)
    try:
        for resume in ({}, {"resume": True}):
            with pytest.raises(
                keras_csg.InputError, match="Another process is training in"
            ):
                keras_csg.train(path, **OPTIONS, **resume)
    finally:
        first.run.unlock()
