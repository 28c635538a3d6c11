import importlib.util
from collections.abc import Callable
from types import TracebackType
from typing import Any

import keras

from keras_csg.engines import engine
from keras_csg.training.callbacks.gate_images import GateImages
from keras_csg.training.loggers.base import RunLogger
from keras_csg.training.loggers.mlflow_logger import MlflowLogger
from keras_csg.training.loggers.wandb_logger import WandbLogger
from keras_csg.training.runs import Run

SERVICES: dict[str, type[RunLogger]] = {
    logger.name: logger for logger in (MlflowLogger, WandbLogger)
}


class RunLoggers:
    """The loggers of a training; as a context manager they know how it ended.

    Args:
        names: tuple of `keras_csg.choices.LOGGERS`; `None` for TensorBoard
            where it is installed.
        run: `Run`.
        log: callable that takes a line.

    Raises:
        ValueError: if the package of one is not installed.
    """

    def __init__(
        self,
        names: tuple[str, ...] | None,
        run: Run,
        log: Callable[[str], Any],
    ):
        self.run = run
        self.log = log
        self.with_tensorboard = names is None or "tensorboard" in names
        self._services: list[RunLogger] = []
        if names is None or engine.process_index() != 0:
            return
        for name in names:
            if name != "none" and not _is_installed(name):
                raise ValueError(
                    f"The logger {name} needs the package of that name: "
                    f"`pip install 'keras-csg[{name}]'`. "
                    f"Received: loggers={','.join(names)}"
                )
            if name in SERVICES:
                self._services.append(SERVICES[name](run, log))

    def open(self) -> None:
        """Looks whether all answer, before the run is written.

        Raises:
            ValueError: naming the one that does not.
        """
        for service in self._services:
            service.open()

    def callbacks(self, gated: bool) -> list[keras.callbacks.Callback]:
        """Returns what is to be called after each epoch, behind `RunBackup`.

        Args:
            gated: bool. Whether there is a gate to draw.
        """
        if not self.with_tensorboard:
            return [*self._services]
        if not _is_installed("tensorboard"):
            self.log(
                "No logs for TensorBoard, which is not installed: "
                "pip install 'keras-csg[tensorboard]'"
            )
            return [*self._services]
        logs = self.run.logs_path
        board = keras.callbacks.TensorBoard(logs, write_graph=False)
        images = [GateImages(logs / "gate")] if gated else []
        return [board, *images, *self._services]

    def finish(self, figures: dict[str, Any]) -> None:
        """Sends the figures of `metrics.json` and the files of the run."""
        for service in self._services:
            service.finish(figures)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            status = "failed" if isinstance(error, Exception) else "killed"
            for service in self._services:
                service.stop(status)


def _is_installed(name):
    spec = importlib.util.find_spec(name)
    # A folder of that name in the working directory is no package.
    return spec is not None and spec.origin is not None
