"""The search over hyper-parameters keeps its trials, also those that fail."""

import pytest

from tests.test_examples import load

optuna = pytest.importorskip("optuna")


@pytest.fixture
def search(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield load("search.py")
    optuna.logging.set_verbosity(optuna.logging.INFO)


def judged(trial, data, epochs, **knobs):
    """Stands for a training: better with less dropout, some impossible."""
    if trial.number in (1, 4):
        raise ValueError("no such network\nand more")
    trial.report(1 - knobs["filter_dropout"], epochs - 1)
    return 1 - knobs["filter_dropout"]


@pytest.mark.slow
def test_a_search_goes_on_where_it_was_stopped(search, monkeypatch, capsys):
    monkeypatch.setattr(search, "train", judged)
    study = search.main(trials=3)
    assert len(study.trials) == 3
    study = search.main(trials=6)
    states = [trial.state.name for trial in study.trials]
    assert [states[1], states[4]] == ["FAIL", "FAIL"] and len(states) == 6
    tried = {trial.params["filter_dropout"] for trial in study.trials}
    assert len(tried) == 6  # None a second time.
    scores = [trial.value for trial in study.trials if trial.value is not None]
    assert len(scores) == 4 and study.best_value == max(scores)
    out = capsys.readouterr().out
    assert out.count("ValueError: no such network\n") == 2
    assert "keras-csg train --image-size 16 --learning-rate" in out
    assert out.count("trial ") == 6 + 2  # The best is named each time.


def test_a_search_whose_every_trial_fails_is_one_line(
    search, monkeypatch, capsys
):
    def fails(*args, **kwargs):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(search, "train", fails)
    with pytest.raises(SystemExit) as exit_:
        search.main(trials=2)
    assert exit_.value.code == 2
    assert capsys.readouterr().err == (
        "None of 2 trials was trained to its end; the last: "
        "RuntimeError: out of memory\n"
    )


def test_a_trial_is_stopped_where_others_are_better(search):
    def objective(trial):
        report = search.ReportToTrial(trial)
        score = 0.9 if trial.number < 4 else 0.1
        logs = dict.fromkeys(search.ACCURACIES, score)
        report.on_epoch_end(0, logs | {"val_accuracy": score + 0.1})
        return report.score

    study = optuna.create_study(
        direction="maximize", pruner=optuna.pruners.MedianPruner(4)
    )
    study.optimize(objective, 5)
    assert study.trials[0].value == pytest.approx(0.95)
    assert study.trials[4].state.name == "PRUNED"


@pytest.mark.slow
def test_trials_are_trained(search, capsys):
    study = search.main(trials=2, epochs=1, image_size=8)
    assert 0 < study.best_value < 1
    assert set(study.best_params) == {
        "learning_rate",
        "lambda_5",
        "filter_dropout",
    }


@pytest.mark.slow
def test_a_loss_that_is_no_number_fails_a_trial(search, monkeypatch, capsys):
    monkeypatch.setattr(
        search,
        "choose",
        lambda trial: {"learning_rate": 1e30, "lambda_5": 1.0},
    )
    with pytest.raises(SystemExit):
        search.main(trials=1, epochs=1, image_size=8)
    assert "NonFiniteLossError" in capsys.readouterr().err
