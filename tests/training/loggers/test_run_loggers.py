import importlib.util

import pytest

from keras_csg.choices import LOGGERS
from keras_csg.files import write_json
from keras_csg.training import Run
from keras_csg.training.loggers import run_loggers
from keras_csg.training.loggers.base import RunLogger
from keras_csg.training.loggers.run_loggers import SERVICES, RunLoggers


@pytest.fixture
def without(monkeypatch):
    """Makes a package look as if it were not installed."""
    find = importlib.util.find_spec

    def call(missing):
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name: None if name == missing else find(name),
        )

    return call


def kinds(loggers):
    return [type(item).__name__ for item in loggers.callbacks(gated=True)]


def test_every_logger_is_one_that_can_be_made():
    assert LOGGERS == ("none", "tensorboard", *SERVICES)


@pytest.mark.parametrize("name", LOGGERS[1:])
def test_a_missing_package_is_refused_where_it_is_asked_for(
    name, without, tmp_path
):
    without(name)
    match = rf"pip install 'keras-csg\[{name}\]'.*loggers={name}"
    with pytest.raises(ValueError, match=match):
        RunLoggers((name,), Run(tmp_path / "run"), print)


def test_a_folder_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "wandb").mkdir()  # W&B leaves one where it is called.
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: importlib.machinery.PathFinder.find_spec(
            name, [str(tmp_path)]
        ),
    )
    with pytest.raises(ValueError, match="pip install"):
        RunLoggers(("wandb",), Run(tmp_path / "run"), print)


def test_by_default_tensorboard_gets_what_there_is(without, tmp_path):
    lines = []
    pytest.importorskip("tensorboard")
    loggers = RunLoggers(None, Run(tmp_path / "run"), lines.append)
    assert kinds(loggers) == ["TensorBoard", "GateImages"] and not lines
    without("tensorboard")
    assert kinds(loggers) == []
    assert lines == [
        "No logs for TensorBoard, which is not installed: "
        "pip install 'keras-csg[tensorboard]'"
    ]


def test_what_is_asked_for_is_all_there_is(tmp_path):
    run = Run(tmp_path / "run")
    assert kinds(RunLoggers(("none",), run, print)) == []
    pytest.importorskip("mlflow")
    names = ("tensorboard", "mlflow")
    assert kinds(RunLoggers(names, run, print)) == [
        "TensorBoard",
        "GateImages",
        "MlflowLogger",
    ]


class Sending(RunLogger):
    """A service that keeps what it is sent."""

    name = title = way_out = "sending"
    reach = begin = send_results = end = lambda self, *args: None

    def send_epochs(self, rows):
        self.sent = [*getattr(self, "sent", []), *(r["loss"] for r in rows)]


def test_epochs_that_are_trained_again_are_sent_again(tmp_path):
    """As of a run that goes on from its best epoch, which was not its last."""
    run = Run(tmp_path / "run")
    run.path.mkdir()
    write_json(run.loggers_path, {"sending": {"run_id": "a", "epochs": 3}})
    history = run.history
    history.append({"epoch": 1, "loss": 0.5})
    logger = Sending(run, print)
    logger.open()
    logger.on_train_begin()
    for epoch in (2, 3, 4):
        history.append({"epoch": epoch, "loss": epoch})
        logger.on_epoch_end(epoch - 1)
    assert logger.sent == [2, 3, 4]


def test_of_several_processes_the_first_alone_logs(tmp_path, monkeypatch):
    monkeypatch.setattr(run_loggers.engine, "process_index", lambda: 1)
    loggers = RunLoggers(("mlflow",), Run(tmp_path / "run"), print)
    assert kinds(loggers) == []
