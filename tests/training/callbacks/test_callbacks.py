import keras
import numpy as np
import pytest

from keras_csg.files import whole_file, write_json
from keras_csg.training.backup_files import find_backup, newest_epoch
from keras_csg.training.callbacks import (
    FiniteLoss,
    GateImages,
    NonFiniteLossError,
    RunBackup,
)
from keras_csg.training.callbacks.backup import restore
from keras_csg.training.history import History
from tests.tiny import tiny_classifier, tiny_data

# One epoch or two: the paper's schedule does not come to the gate.
pytestmark = pytest.mark.filterwarnings("ignore:The gate ended")


def compiled(optimizer=None):
    model = tiny_classifier(schedule="alternating")
    model.compile(optimizer or keras.optimizers.Adam(0.01))
    return model


def test_a_backup_restores_every_variable_bit_for_bit(tmp_path):
    """Random layers' states and the optimizer's too, which fit moves."""
    model = compiled()
    backup = RunBackup(tmp_path / "backup", History(tmp_path / "history.csv"))
    model.fit(
        *tiny_data(),
        epochs=2,
        callbacks=[backup],
        measure_again=False,  # It would, after the last backup.
        verbose=0,
    )
    found = find_backup(tmp_path / "backup", print)
    path = found.path
    assert (path.name, found.epochs) == ("epoch-0002.npz", 2)
    # The one before it stays.
    assert len(list((tmp_path / "backup").iterdir())) == 2
    assert found.rows == History(tmp_path / "history.csv").rows

    keras.utils.set_random_seed(1)
    fresh = compiled()
    fresh.build_optimizer()
    restore(path, fresh)
    ours = [*model.variables, *model.optimizer.variables]
    theirs = [*fresh.variables, *fresh.optimizer.variables]
    assert any("seed" in v.path for v in ours)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.array(a.value), np.array(b.value))


def test_a_backup_of_another_model_is_refused(tmp_path):
    model = compiled()
    backup = RunBackup(tmp_path, History(tmp_path / "history.csv"))
    model.fit(*tiny_data(), callbacks=[backup], verbose=0)
    other = compiled(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match="not a backup of this model"):
        restore(tmp_path / "epoch-0001.npz", other)


def test_history_is_whole_after_every_epoch(tmp_path):
    history = History(tmp_path / "history.csv")
    for epoch in range(3):
        history.append({"epoch": epoch + 1, "loss": 0.5 / (epoch + 1)})
    again = History(tmp_path / "history.csv")
    assert again.column("loss") == [0.5, 0.25, 0.5 / 3]
    again.keep(1)
    assert (tmp_path / "history.csv").read_text() == "epoch,loss\n1,0.5\n"


@pytest.mark.parametrize("asynchronous", [True, False])
def test_a_loss_that_is_not_finite_names_its_step(asynchronous, tmp_path):
    model = compiled()
    images, labels = tiny_data(64)
    images[40] = np.nan  # In the third batch of 16.
    callbacks = [
        FiniteLoss(),
        RunBackup(tmp_path / "backup", History(tmp_path / "history.csv")),
    ]
    if not asynchronous:
        on_batch = lambda batch, logs: None  # noqa: E731
        callbacks.append(
            keras.callbacks.LambdaCallback(on_train_batch_end=on_batch)
        )
    with pytest.raises(NonFiniteLossError, match="step 3 of epoch 1.*rate"):
        model.fit(
            images,
            labels,
            batch_size=16,
            shuffle=False,
            epochs=2,
            callbacks=callbacks,
            verbose=0,
        )
    assert newest_epoch(tmp_path / "backup") == 0


def test_what_the_last_step_ruined_is_seen_in_the_validation_loss():
    model = compiled()
    images, labels = tiny_data(16)
    ruined = images.copy()
    ruined[0] = np.nan
    with pytest.raises(NonFiniteLossError, match="validation loss is nan aft"):
        model.fit(
            images,
            labels,
            validation_data=(ruined, labels),
            callbacks=[FiniteLoss()],
            verbose=0,
        )


@pytest.mark.slow
def test_the_gate_goes_to_tensorboard_as_a_picture(tmp_path):
    from tensorboard.backend.event_processing import event_accumulator

    model = compiled()
    model.fit(*tiny_data(), callbacks=[GateImages(tmp_path)], verbose=0)
    events = event_accumulator.EventAccumulator(
        str(tmp_path), size_guidance={"tensors": 0}
    )
    events.Reload()
    assert "gate_matrix" in events.Tags()["tensors"]


def test_a_file_appears_only_when_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half"):
        with whole_file(path) as part:
            part.write_text("half")
            assert path.read_text() == "old"
            raise RuntimeError("half")
    assert path.read_text() == "old"
    write_json(path, {"a": 1})
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
