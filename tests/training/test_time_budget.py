"""As many epochs as fit into a time."""

import numpy as np
import pytest

import keras_csg
from keras_csg.training import Run, time_budget
from keras_csg.training.history import History
from keras_csg.training.time_budget import TimeBudget

OPTIONS = {
    "data": "digits",
    "image_size": 8,
    "backbone": "tiny",
    "precision": "float32",
    "batch_size": 256,
    "deterministic": True,
}


@pytest.mark.parametrize(
    "minutes, first, seconds, epochs",
    [
        (1, 0, 10, 6),
        (0.01, 3, 10, 1),
        pytest.param(1, 25, 10, 3, marks=pytest.mark.slow),
        pytest.param(1, 0, 1, 9, marks=pytest.mark.slow),
    ],
)
def test_so_many_are_trained(
    tiny, tmp_path, monkeypatch, minutes, first, seconds, epochs
):
    monkeypatch.setattr(
        time_budget, "seconds_of_epochs", lambda *_, **__: (first, seconds)
    )
    monkeypatch.setattr(time_budget, "ROOM", 1e9)
    lines = []
    keras_csg.train(
        tmp_path / "run",
        time_budget=minutes,
        epochs=9,
        log=lines.append,
        **{**OPTIONS, "deterministic": False},
    )
    run = Run(tmp_path / "run")
    assert run.options.epochs == epochs
    assert len(run.history.rows) == epochs
    assert (
        f"Time budget: {epochs} of 9 epochs in {minutes:g} minutes, "
        f"{seconds:.1f} s each" in lines
    )


@pytest.mark.slow
def test_what_is_tried_out_leaves_no_trace(tiny, tmp_path, monkeypatch):
    """For all but the number of epochs the training is another's."""
    lines = []
    keras_csg.train(
        tmp_path / "budget",
        time_budget=1e4,
        epochs=2,
        log=lines.append,
        **OPTIONS,
    )
    assert any("2 of 2 epochs in 10000 minutes" in line for line in lines)
    keras_csg.train(tmp_path / "plain", epochs=2, log=None, **OPTIONS)
    models = [Run(tmp_path / n).load_model() for n in ("budget", "plain")]
    for mine, other in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_array_equal(mine, other)


def history_of(path, seconds):
    history = History(path)
    for number, value in enumerate(seconds, start=1):
        history.append({"epoch": number, "seconds": value})
    return history


@pytest.mark.parametrize(
    "seconds, exhausted",
    [
        ([], False),
        ([60], False),  # The first, in which the step is compiled.
        ([80], True),
        ([30, 20], False),  # 70 of 75.
        ([30, 30], True),
        ([30, 20, 10], False),
    ],
)
def test_far_longer_than_that_it_does_not_train(tmp_path, seconds, exhausted):
    history = history_of(tmp_path / "history.csv", seconds)
    assert TimeBudget(1, history, print).is_exhausted() == exhausted


def test_a_machine_that_became_slow_ends_early(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(
        time_budget, "seconds_of_epochs", lambda *_, **__: (0, 1e-9)
    )
    lines = []
    keras_csg.train(
        tmp_path / "run",
        time_budget=1e-4,
        epochs=9,
        log=lines.append,
        **OPTIONS,
    )
    run = Run(tmp_path / "run")
    assert run.is_finished()
    assert len(run.history.rows) == 1
    said = "is used up: stopped after epoch 1 of 9"
    assert any(said in line for line in lines)
    assert keras_csg.train(run, resume=True, log=None) == run.read_metrics()


@pytest.mark.parametrize("minutes", [0, -1, "long"])
def test_a_time_that_is_none_is_refused(tmp_path, minutes):
    with pytest.raises(keras_csg.InputError, match="`time_budget` must be"):
        keras_csg.train(tmp_path / "run", time_budget=minutes, log=None)
    assert not (tmp_path / "run").exists()
