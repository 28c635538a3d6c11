"""More epochs for a run than it was to have."""

import json
import shutil

import keras
import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run
from keras_csg.training.named_filters import keep_filter_names
from tests.training.photos import Halt, check_same_weights
from tests.training.test_averages import Recording

OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "backbone": "tiny",
    "precision": "float32",
    "batch_size": 256,
    "log": None,
}


def epochs_of(run):
    return [int(n) for n in run.history.column("epoch")]


def test_a_finished_run_goes_on_from_its_weights(tiny, tmp_path):
    path = tmp_path / "run"
    before = keras_csg.train(path, epochs=2, learning_rate=0.01, **OPTIONS)
    run = Run(path)
    keep_filter_names(run, {3: "stripes"})
    kernel = keras.ops.convert_to_numpy(run.load_model().head.kernel)
    recording = Recording()
    after = keras_csg.train(
        path, resume=True, epochs=5, callbacks=[recording], log=None
    )
    assert epochs_of(run) == [1, 2, 3, 4, 5]
    assert run.options.epochs == 5
    assert run.load_model().filter_names == {3: "stripes"}
    assert json.loads(run.config_path.read_text())["versions"]
    assert run.read_metrics() == after
    # One step away from where it was, not from another network.
    assert np.abs(recording.steps[0] - kernel).max() < 0.02
    # The rate is that of five epochs: at two fifths of a cosine, above zero.
    assert run.history.column("learning_rate")[2] > 0
    steps = run.load_model().optimizer.iterations
    assert int(keras.ops.convert_to_numpy(steps)) == 5 * 6
    # What it was is kept.
    kept = Run(path)
    kept.model_path = path / "model-0002.keras"
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(kept.load_model().head.kernel), kernel
    )
    assert json.loads((path / "metrics-0002.json").read_text()) == before


def test_a_run_of_which_nothing_is_left_says_that_it_is_begun_anew(
    tiny, tmp_path
):
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(path, epochs=2, callbacks=[Halt()], **OPTIONS)
    shutil.rmtree(path / "backup")
    (path / "history.csv").unlink()
    lines = []
    keras_csg.train(path, resume=True, log=lines.append)
    assert f"{path} has nothing to go on from: it is begun anew" in lines
    assert epochs_of(Run(path)) == [1, 2]


def test_a_stopped_run_goes_on_to_more(tiny, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(path, epochs=3, callbacks=[Halt()], **OPTIONS)
    keras_csg.train(path, resume=True, epochs=4, log=None)
    assert epochs_of(Run(path)) == [1, 2, 3, 4]
    assert not list(path.glob("model-*"))


@pytest.mark.slow
def test_it_can_be_stopped_and_resumed_again(tiny, tmp_path):
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    options = {**OPTIONS, "epochs": 1, "deterministic": True}
    for path in (whole, torn):
        keras_csg.train(path, **options)
    keras_csg.train(whole, resume=True, epochs=3, log=None)
    with pytest.raises(KeyboardInterrupt):  # Before its second epoch.
        keras_csg.train(
            torn, resume=True, epochs=3, log=None, callbacks=[Halt()]
        )
    assert not Run(torn).is_finished()
    keras_csg.train(torn, resume=True, log=None)
    check_same_weights(whole, torn)


@pytest.mark.slow
def test_of_a_run_that_kept_its_best_epoch_what_came_after_is_forgotten(
    tiny, tmp_path
):
    path = tmp_path / "run"

    class Worse(keras.callbacks.Callback):
        """Spoils the figures of the third epoch and of those after it."""

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_test_begin(self, logs=None):
            self.kept = self.model.head.get_weights()
            if self.epoch >= 2:
                self.model.head.set_weights([0 * w for w in self.kept])

        def on_test_end(self, logs=None):
            self.model.head.set_weights(self.kept)

    keras_csg.train(
        path,
        epochs=8,
        patience=2,
        standard=True,
        callbacks=[Worse()],
        **OPTIONS,
    )
    run = Run(path)
    done = len(run.history.rows)
    rows = run.history.column("val_accuracy")[:2]
    assert rows[1] > rows[0]
    assert done == 4
    keras_csg.train(path, resume=True, epochs=9, log=None)
    assert epochs_of(run)[:3] == [1, 2, 3]
    kept = [float(x) for x in run.history.column("val_accuracy")[:2]]
    assert kept == rows
    assert (path / "model-0002.keras").exists()
    # From the second epoch's weights on, as the rows say.
    assert run.history.column("val_accuracy")[2] > 0.2


def test_fewer_than_it_has_are_refused(tiny, tmp_path):
    path = tmp_path / "run"
    keras_csg.train(path, epochs=2, **OPTIONS)
    files = {p: p.read_bytes() for p in path.iterdir() if p.is_file()}
    with pytest.raises(
        keras_csg.InputError, match="`epochs` must be above the 2 that"
    ):
        keras_csg.train(path, resume=True, epochs=1, log=None)
    lines = []
    keras_csg.train(path, resume=True, epochs=2, log=lines.append)
    assert "finished: nothing to go on with" in lines[0]
    assert files == {p: p.read_bytes() for p in path.iterdir() if p.is_file()}


def test_another_option_is_refused_still(tiny, tmp_path):
    path = tmp_path / "run"
    keras_csg.train(path, epochs=1, **OPTIONS)
    with pytest.raises(keras_csg.InputError, match="leave out `seed`"):
        keras_csg.train(path, resume=True, epochs=3, seed=1, log=None)
    assert Run(path).is_finished()
    with pytest.raises(keras_csg.InputError, match="`epochs` must be"):
        keras_csg.train(path, resume=True, epochs="many", log=None)


def test_what_cannot_be_had_leaves_a_finished_run_as_it_was(
    tiny, tmp_path, monkeypatch
):
    path = tmp_path / "run"
    keras_csg.train(path, epochs=1, **OPTIONS)

    def files():
        return {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}

    before = files()
    for place in ("load_data_for", "build_for", "RunLoggers.open"):
        with monkeypatch.context() as patch:

            def refuse(*args, **kwargs):
                raise ValueError("no such thing")

            patch.setattr(f"keras_csg.training.trainer.{place}", refuse)
            with pytest.raises(keras_csg.InputError, match="no such thing"):
                keras_csg.train(path, resume=True, epochs=3, log=None)
        assert files() == before
    assert Run(path).is_finished()
    assert len(Run(path).history.rows) == 1


@pytest.mark.slow
def test_a_time_budget_of_before_counts_no_longer(tiny, tmp_path):
    path = tmp_path / "run"
    keras_csg.train(path, epochs=9, time_budget=1e-4, **OPTIONS)
    done = len(Run(path).history.rows)
    assert done == 1
    keras_csg.train(path, resume=True, epochs=4, log=None)
    assert epochs_of(Run(path)) == [1, 2, 3, 4]
    assert Run(path).options.time_budget is None
