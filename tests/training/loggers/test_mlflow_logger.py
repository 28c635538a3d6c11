"""What training sends to MLflow is read back out of its local file store."""

import json
import os

import keras
import pytest

import keras_csg
from keras_csg.training import Run
from keras_csg.training.loggers import mlflow_logger
from keras_csg.training.loggers.base import reason

mlflow = pytest.importorskip("mlflow")
LOSSES = [(1, 1.0), (2, 0.5), (3, 1 / 3)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A client of a store of this test's own."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    return mlflow.MlflowClient()


def only_run(store, experiment="keras-csg"):
    found = store.get_experiment_by_name(experiment)
    (run,) = store.search_runs([found.experiment_id])
    return run


def series(store, name):
    """The steps and values of a metric, in the order they were sent."""
    history = store.get_metric_history(only_run(store).info.run_id, name)
    return [(metric.step, metric.value) for metric in history]


class Interrupted(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


@pytest.mark.slow
def test_a_store_holds_a_training_that_was_gone_on_with(
    store, tmp_path, tiny_name
):
    out = tmp_path / "tiny"
    options = {"epochs": 2, "image_size": 8, "batch_size": 256}
    with pytest.raises(KeyboardInterrupt):
        keras_csg.train(
            out,
            backbone=tiny_name,
            loggers="mlflow",
            callbacks=[Interrupted()],
            log=None,
            **options,
        )
    begun = only_run(store)
    assert begun.info.status == "KILLED" and len(series(store, "loss")) == 1
    keras_csg.train(out, resume=True, log=None)
    run = only_run(store)
    assert (run.info.run_id, run.info.status) == (begun.info.run_id, "FINISHED")
    columns = Run(out).history.columns()
    assert {"loss", "val_accuracy", "l1_density", "seconds"} < set(columns)
    for name in set(columns) - {"epoch"}:
        assert series(store, name) == list(enumerate(columns[name], start=1))
    figures = json.loads((out / "metrics.json").read_text())
    assert series(store, "final/mis") == [(2, figures["mis"])]
    assert run.data.params["backbone"] == tiny_name
    assert run.data.params["learning_rate"] == str(
        Run(out).options.learning_rate
    )
    assert not (out / "logs").exists()  # TensorBoard was not asked for.


def test_names_are_mere_text_there(store, start):
    name = "cat\n\x1b[31m"
    start("mlflow", data="photos\n\x9b", rename_classes=f"cat={name}").begin()
    params = only_run(store).data.params
    assert params["data"] == r"photos\n\x9b"
    assert params["rename_classes"] == r"cat=cat\n\x1b[31m"


def test_options_versions_figures_and_files_are_there(store, start):
    started = start("mlflow", learning_rate=0.05).begin()
    started.epoch(1).epoch(2).finish()
    run = only_run(store)
    assert run.info.run_name == "tiny"
    options = {**started.run.options.to_dict(), "loggers": "mlflow"}
    assert run.data.params == {k: str(v) for k, v in options.items()}
    assert run.data.params["learning_rate"] == "0.05"
    versions = json.loads(started.run.config_path.read_text())["versions"]
    assert {f"version.{k}": v for k, v in versions.items()}.items() <= (
        run.data.tags.items()
    )
    final = {k: v for k, v in run.data.metrics.items() if "/" in k}
    assert final == {"final/accuracy": 0.75, "final/mis": 0.1}
    artifacts = [file.path for file in store.list_artifacts(run.info.run_id)]
    assert artifacts == ["config.json", "gate.png", "history.csv"] + [
        "metrics.json"
    ]
    assert started.lines == []


def test_a_logger_that_comes_later_gets_the_epochs_before(store, start):
    started = start("mlflow")
    started.run.history.append({"epoch": 1, "loss": 1.0})
    started.begin()
    assert series(store, "loss") == LOSSES[:1]
    started.epoch(2)
    start("mlflow").begin().epoch(3).finish()
    assert series(store, "loss") == LOSSES
    known = json.loads((started.run.path / "loggers.json").read_text())
    run_id = only_run(store).info.run_id
    assert known == {"mlflow": {"run_id": run_id, "epochs": 3}}


@pytest.mark.parametrize("status", ["failed", "killed"])
def test_a_training_that_ended_early_says_so_there(store, start, status):
    start("mlflow").begin().logger.stop(status)
    assert only_run(store).info.status == status.upper()


def test_a_service_that_comes_back_gets_what_it_missed(
    store, start, monkeypatch
):
    started = start("mlflow").begin().epoch(1)
    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "log_batch", no_answer)
        started.epoch(2).epoch(3)
    assert started.lines == [
        "MLflow fails, and training goes on without it: no answer."
    ]
    assert series(store, "loss") == LOSSES[:1]
    started.finish()
    assert series(store, "loss") == LOSSES and len(started.lines) == 1


def test_a_service_that_is_gone_costs_two_lines(store, start, monkeypatch):
    started = start("mlflow")
    monkeypatch.setattr(mlflow.MlflowClient, "create_run", no_answer)
    started.begin().epoch(1).epoch(2).finish()
    assert started.lines == [
        "MLflow fails, and training goes on without it: no answer.",
        "MLflow has not got all of the run: no answer. It is whole in "
        f"{started.run}.",
    ]


def no_answer(*args, **kwargs):
    raise ConnectionError("no answer\nand more of it")


def test_a_run_whose_options_were_not_sent_is_the_same_run(
    store, start, monkeypatch
):
    started = start("mlflow")
    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "log_batch", no_answer)
        started.begin()
    started.epoch(1).finish()
    assert only_run(store).data.params["backbone"] == "resnet20"


def test_a_server_that_is_not_there_is_refused(start, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ValueError, match="MLflow cannot be used") as caught:
        start("mlflow")
    assert "secret" not in str(caught.value)


def test_a_run_that_the_store_does_not_know_is_refused(
    store, start, tmp_path, monkeypatch
):
    path = start("mlflow").begin().run.loggers_path
    known = json.loads(path.read_text())["mlflow"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "other").as_uri())
    with pytest.raises(ValueError, match=known["run_id"]):
        start("mlflow")
    path.write_text("{")
    with pytest.raises(ValueError, match="loggers.json is damaged"):
        start("mlflow")


# SQLAlchemy 2.1 deprecates what MLflow declares.
@pytest.mark.filterwarnings("ignore:.*noload")
def test_a_store_in_a_file_is_found_from_another_folder(
    start, tmp_path, monkeypatch
):
    pytest.importorskip("sqlalchemy")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    begun = start("mlflow").begin().epoch(1)
    assert (tmp_path / "mlflow.db").exists()  # MLflow's own default.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = start("mlflow")
    assert again.logger.run_id == begun.logger.run_id
    again.begin().epoch(2)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_environment_of_mlflow_counts(store, start, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    start("mlflow").begin()
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
    start("mlflow")
    assert only_run(store, "mine").info.run_name == "tiny"
    assert store.get_experiment_by_name("keras-csg") is None


def test_a_run_of_the_users_own_is_left_alone(store, start):
    with mlflow.start_run() as own:
        start("mlflow").begin().epoch(1).finish()
        assert mlflow.active_run().info.run_id == own.info.run_id
    assert store.get_run(own.info.run_id).data.metrics == {}


def test_patience_is_little_for_a_while(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "90")
    with mlflow_logger._little_patience():
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "90"
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "90"


def test_a_reason_is_one_short_line():
    assert reason(ValueError("no\nmore")) == "no."
    assert reason(TimeoutError()) == "TimeoutError."
    assert reason(ValueError("at http://me:pw@host/x.")) == "at http://host/x."
    assert len(reason(ValueError("word " * 200))) <= 451
