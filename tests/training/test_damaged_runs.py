"""A damaged run goes on from what is whole, or says in one line why not."""

import json
import re
import shutil

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.commands import set_up_training
from keras_csg.training import Run, Trainer, open_run
from keras_csg.training.history import History
from tests.training.photos import check_same_weights

OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "backbone": "tiny",
    "precision": "float32",
    "batch_size": 512,
    "batch_statistics": "running",
    "deterministic": True,
    "loggers": "none",
    "epochs": 4,
    "log": None,
}


class HaltAt3(keras.callbacks.Callback):
    """Stops a training in its fourth epoch, as a kill would."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def made(tiny, tmp_path_factory):
    """A run stopped after three of four epochs, and one that was not."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(folder / "torn", callbacks=[HaltAt3()], **OPTIONS)
    shutil.copytree(folder / "torn", folder / "whole")
    keras_csg.train(folder / "whole", resume=True, log=None)
    return folder


@pytest.fixture
def torn(made, tmp_path):
    return shutil.copytree(made / "torn", tmp_path / "torn")


@pytest.fixture
def whole(made, tmp_path):
    return shutil.copytree(made / "whole", tmp_path / "whole")


def resume(path, **options):
    """Goes on to the end; returns the lines that were said."""
    lines = []
    keras_csg.train(path, resume=True, log=lines.append, **options)
    return lines


def refused(path, **options):
    """Returns why a run cannot be gone on with; it stays as it was."""
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    with pytest.raises(keras_csg.InputError) as error:
        keras_csg.train(path, resume=True, log=None, **options)
    after = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    assert before == after
    assert "\n" not in str(error.value)
    return str(error.value)


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def epochs_of(history):
    return [int(n) for n in history.column("epoch")]


def test_two_backups_are_kept_with_options_and_history(torn):
    names = sorted(p.name for p in (torn / "backup").iterdir())
    assert names == ["epoch-0002.npz", "epoch-0003.npz"]
    record = json.loads((torn / "record.json").read_text())
    assert record["options"]["batch_size"] == 512 and record["rows"] == []
    assert json.loads((torn / "config.json").read_text())["threads"] >= 1


def test_a_damaged_newest_backup_is_passed_over_to_the_same_end(torn, made):
    cut(torn / "backup" / "epoch-0003.npz")
    lines = resume(torn)
    (line,) = [x for x in lines if "Passed over" in x]
    assert "epoch-0003.npz is damaged" in line and "after epoch 2" in line
    check_same_weights(torn, made / "whole")
    assert epochs_of(Run(torn).history) == [1, 2, 3, 4]


def test_without_a_whole_backup_nothing_is_removed(torn):
    for path in (torn / "backup").iterdir():
        cut(path)
    assert "No backup in" in refused(torn)


def test_backups_that_are_gone_are_not_begun_again_in_silence(torn):
    shutil.rmtree(torn / "backup")
    assert "history.csv says that epochs are done" in refused(torn)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"\xef\xbb\xbfepoch,loss\n1,2\n", b"\x00\xff garbage", b"a\n"],
)
def test_the_history_is_written_again_from_the_backup(torn, made, content):
    path = torn / "history.csv"
    rows = History(path).rows
    path.write_bytes(content) if content is not None else path.unlink()
    lines = []
    trainer = Trainer(Run(torn).options, torn, resume=True, log=lines.append)
    trainer.run.unlock()
    (line,) = [x for x in lines if "history.csv" in x]
    assert "3 epochs, from epoch-0003.npz" in line
    assert History(path).rows == rows


def test_a_row_more_or_less_is_what_a_kill_leaves(torn):
    path = torn / "history.csv"
    written = path.read_bytes()
    lines = written.splitlines(keepends=True)
    for content in (b"".join(lines[:-1]), written + lines[-1]):
        path.write_bytes(content)
        said = []
        trainer = Trainer(Run(torn).options, torn, resume=True, log=said.append)
        trainer.run.unlock()
        assert not [x for x in said if "history" in x]
        assert path.read_bytes() == written


def test_a_finished_runs_history_is_checked_where_it_is_read(whole):
    run = Run(whole)
    rows = run.history.rows
    for content in (b"", b"garbage", b"epoch,loss\n1,0\n", None):
        path = whole / "history.csv"
        path.write_bytes(content) if content is not None else path.unlink()
        with pytest.warns(UserWarning, match="history.csv is not what train"):
            assert run.history.rows == rows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 4),
        ("batch_size", 256),
        ("validation_split", 0.2),
        ("precision", "mixed_bfloat16"),
        ("data", "shapes"),
        ("epochs", 2),
        ("lambda_1", 0.5),
    ],
)
def test_options_edited_by_hand_are_named(torn, name, value):
    path = torn / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, name: value}))
    message = refused(torn)
    assert f"config.json was edited: it says {name}={value!r}, and" in message
    assert f"{name}={config[name]!r}" in message


def test_before_the_first_epoch_they_are_named_too(torn):
    shutil.rmtree(torn / "backup")
    (torn / "history.csv").unlink()
    config = json.loads((torn / "config.json").read_text())
    (torn / "config.json").write_text(json.dumps({**config, "seed": 4}))
    assert "its record of the training says seed=0" in refused(torn)


def test_other_options_are_refused_with_both_values(torn):
    message = refused(torn, seed=9, batch_size=64)
    assert "was begun with batch_size=512, seed=0" in message
    assert "Received: batch_size=64, seed=9; leave out `seed`" in message
    for name in ("epochs", "cache", "device", "devices", "loggers"):
        assert f"`{name}`" in message
    assert "Unknown option 'sed'" in refused(torn, sed=9)
    assert "`batch_size` must be" in refused(torn, batch_size="many")


def test_the_same_options_are_no_others(torn, whole):
    same = {k: v for k, v in OPTIONS.items() if k != "log"}
    trainer = set_up_training(torn, resume=True, log=None, **same)
    trainer.run.unlock()
    assert trainer.first_epoch == 3
    assert "nothing to go on with" in resume(whole, **same)[0]


@pytest.mark.parametrize(
    ("epochs", "reason"),
    [
        (2, "`epochs` must be above the 4 that"),
        (10**18, "`epochs` must be .*1000000"),
        (0, "`epochs` must be"),
    ],
)
def test_epochs_out_of_reason_are_refused(torn, epochs, reason):
    assert re.search(reason, refused(torn, epochs=epochs))


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("damage", [cut, lambda p: p.write_bytes(b"no")])
def test_a_finished_run_with_a_damaged_model_is_not_finished(
    whole, damage, listed
):
    damage(whole / "model.keras")
    if not listed:  # As of before.
        (whole / "checksums.json").unlink()
    for options in ({}, {"epochs": 6}):
        assert "model.keras" in refused(whole, **options)


def test_what_a_kill_at_the_very_end_leaves_is_removed(whole, torn):
    shutil.copytree(torn / "backup", whole / "backup")
    assert "finished" in resume(whole)[0]
    assert not (whole / "backup").exists()


@pytest.mark.parametrize("name", ["model.keras", "metrics.json", "record.json"])
def test_one_turned_bit_is_noticed_where_a_file_is_read(whole, name):
    path = whole / name
    content = path.read_bytes()
    middle = len(content) // 2
    turned = bytes([content[middle] ^ 1])
    path.write_bytes(content[:middle] + turned + content[middle + 1 :])
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        run = open_run(whole)
        run.read_listing()
        run.read_metrics()
        run.load_model()


def test_an_edited_finished_run_is_measured_and_says_so(whole):
    config = json.loads((whole / "config.json").read_text())
    (whole / "config.json").write_text(json.dumps({**config, "seed": 4}))
    with pytest.warns(UserWarning, match="says seed=4, and .* with seed=0"):
        open_run(whole)
    assert "record of the training says seed=0" in refused(whole)
    # Where its data are now is no such change.
    (whole / "config.json").write_text(json.dumps({**config, "data": "x"}))
    open_run(whole)


def test_another_number_of_threads_is_said(torn):
    config = json.loads((torn / "config.json").read_text())
    config["threads"] += 3
    (torn / "config.json").write_text(json.dumps(config))
    lines = []
    trainer = Trainer(Run(torn).options, torn, resume=True, log=lines.append)
    trainer.run.unlock()
    (line,) = [x for x in lines if "threads" in x]
    assert f"begun with {config['threads']} threads and goes on with" in line


def test_a_run_of_before_goes_on_as_it_did(torn):
    """Without checksums, record and anything in the backup but arrays."""
    for name in ("checksums.json", "record.json"):
        (torn / name).unlink()
    path = torn / "backup" / "epoch-0003.npz"
    (torn / "backup" / "epoch-0002.npz").unlink()
    with np.load(path) as saved:
        values = {n: saved[n] for n in saved.files if " " in n}
    np.savez(path, **values)
    config = json.loads((torn / "config.json").read_text())
    del config["threads"]
    (torn / "config.json").write_text(json.dumps(config))
    trainer = Trainer(Run(torn).options, torn, resume=True)
    trainer.run.unlock()
    assert trainer.first_epoch == 3 and len(trainer.history.rows) == 3


def test_what_a_killed_start_leaves_is_begun_again(tmp_path, torn):
    half = tmp_path / "half"
    half.mkdir()
    for name in ("record.json", "checksums.json"):
        shutil.copy(torn / name, half)
    (half / ".config.part.json").write_text("{")
    with pytest.raises(keras_csg.InputError, match="Leave out `resume` to st"):
        resume(half)
    run = Run(half)
    run.create(Run(torn).options)
    run.unlock()
    assert run.options == Run(torn).options
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty: name another"):
        Run(tmp_path / "other").create(Run(torn).options)
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["mine.txt"]
