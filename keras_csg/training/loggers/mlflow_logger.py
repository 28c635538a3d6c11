import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

from keras_csg.training.environment import versions
from keras_csg.training.loggers.base import RunLogger, without_password

EXPERIMENT = "keras-csg"
MOST_METRICS = 1000
"""Metrics that a server takes at once."""
# By itself MLflow tries for four minutes before it says that nobody answers.
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@contextlib.contextmanager
def _little_patience() -> Iterator[None]:
    """Has MLflow give up early, unless the user says how long it may try."""
    chosen = {k: v for k, v in PATIENCE.items() if k not in os.environ}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name in chosen:
            os.environ.pop(name, None)


class MlflowLogger(RunLogger):
    """Sends a run to MLflow.

    By the client, not by `mlflow.keras.MlflowCallback`. That one hides that a
    server is gone, has all figures of the validation a second time, at step 0,
    and lacks the seconds and the learning rate. A run that the process has
    active is left alone.

    Where runs are kept is MLflow's to say: `mlflow.set_tracking_uri`,
    `MLFLOW_TRACKING_URI`, else a file in the working directory, which a
    training that is gone on with finds from any other. Likewise
    `MLFLOW_EXPERIMENT_ID`, `MLFLOW_EXPERIMENT_NAME`, else `keras-csg`.

    Reference:
        - [MlflowClient](
          https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html)
    """

    name = "mlflow"
    title = "MLflow"
    way_out = "Say with MLFLOW_TRACKING_URI where its runs are kept"
    _client: Any
    _experiment_id: str

    @_little_patience()
    def reach(self) -> None:
        """Finds the experiment, and the run to go on with."""
        import mlflow

        uri = None
        if not mlflow.is_tracking_uri_set():
            # Relative to where the command is called, which may change.
            uri = self.known.get("tracking_uri") or mlflow.get_tracking_uri()
            self.known["tracking_uri"] = uri
        self._client = mlflow.MlflowClient(uri)
        if self.run_id is not None:
            self._client.get_run(self.run_id)
        self._experiment_id = self._find_experiment()
        where = without_password(self._client.tracking_uri)
        self.log(f"Logged to MLflow: {where}")

    def _find_experiment(self):
        import mlflow

        if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return given
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return self._client.create_experiment(name)
            except mlflow.MlflowException:  # Another training was quicker.
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return found.experiment_id

    @_little_patience()
    def begin(self) -> None:
        """Begins the run: its options are parameters, versions are tags."""
        from mlflow.entities import Param

        if "run_id" in self.known:
            self._client.update_run(self.run_id, status="RUNNING")
            return
        if self.run_id is None:
            self.run_id = self._client.create_run(
                self._experiment_id,
                run_name=self.shown_name,
                tags={f"version.{k}": v for k, v in versions().items()},
            ).info.run_id
        options = self.shown_options.items()
        params = [Param(name, _text(value)) for name, value in options]
        self._client.log_batch(self.run_id, params=params)

    @_little_patience()
    def send_epochs(self, rows: list[dict[str, float]]) -> None:
        """Sends rows as metrics, whose step is the epoch."""
        self._send(
            (name, value, int(row["epoch"]))
            for row in rows
            for name, value in row.items()
            if name != "epoch"
        )

    @_little_patience()
    def send_results(self, figures: dict[str, float]) -> None:
        """Sends figures as metrics and the files as artifacts."""
        step = self.known.get("epochs", 0)
        self._send((name, value, step) for name, value in figures.items())
        for path in self.files():
            self._client.log_artifact(self.run_id, path)

    @_little_patience()
    def end(self, status: str) -> None:
        """Gives the run its status."""
        self._client.set_terminated(self.run_id, status.upper())

    def _send(self, figures):
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, n) for name, value, n in figures]
        for first in range(0, len(metrics), MOST_METRICS):
            some = metrics[first : first + MOST_METRICS]
            self._client.log_batch(self.run_id, metrics=some)


def _text(value):
    return ",".join(value) if isinstance(value, tuple) else str(value)
