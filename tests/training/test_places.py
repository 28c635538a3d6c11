"""What training writes at its end has a place, or it does not begin."""

import shutil

import keras
import pytest

import keras_csg
from tests.training.test_damaged_runs import OPTIONS, made, torn  # noqa: F401

FILES = (
    "checksums.json",
    "config.json",
    "history.csv",
    "loggers.json",
    "metrics.json",
    "model.keras",
    "record.json",
)


class NotOneEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        raise AssertionError("it trains")


def refused(path):
    before = sorted(path.rglob("*"))
    with pytest.raises(keras_csg.InputError) as raised:
        keras_csg.train(path, resume=True, log=None, callbacks=[NotOneEpoch()])
    assert sorted(path.rglob("*")) == before
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_where_a_file_belongs_is_named(torn, name):  # noqa: F811
    (torn / name).unlink(missing_ok=True)
    (torn / name).mkdir()
    assert str(torn / name) in refused(torn)


@pytest.mark.parametrize("name", ["logs", "backup"])
def test_a_file_where_a_folder_belongs_is_named(torn, name):  # noqa: F811
    if (torn / name).exists():
        shutil.rmtree(torn / name)
    (torn / name).write_text("x")
    assert str(torn / name) in refused(torn)


def test_a_damaged_list_of_checksums_is_told_first(torn):  # noqa: F811
    (torn / "checksums.json").write_text("{{")
    assert "checksums.json is damaged. Remove it" in refused(torn)


class RemovesAtItsEnd(keras.callbacks.Callback):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_train_end(self, logs=None):
        shutil.rmtree(self.path)


def test_a_run_that_is_removed_at_its_end_is_no_success(tiny, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(keras_csg.InputError) as raised:
        keras_csg.train(path, callbacks=[RemovesAtItsEnd(path)], **OPTIONS)
    assert "is not there any more: start it again" in str(raised.value)
    assert not path.exists()
