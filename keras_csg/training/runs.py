import contextlib
import json
import os
import pathlib
import platform

import filelock
import keras

from keras_csg.backbones.weights import WeightsReport, read_model_file
from keras_csg.data.listing import Listing
from keras_csg.files import whole_file, write_json
from keras_csg.training.callbacks.backup import newest_backup
from keras_csg.training.config_files import read_config
from keras_csg.training.history import History
from keras_csg.training.options import TrainingOptions
from keras_csg.untrusted.fields import (
    figure,
    list_of,
    or_none,
    record,
    table_of,
    whole,
)
from keras_csg.untrusted.json_text import read_json
from keras_csg.version import package_version, version

# What training did before there was an option to say so.
OPTIONS_OF_0_1_0 = {
    "lambda_4": 0.0,
    "lambda_5": 0.0,
    "lambda_6": 0.0,
    "head_epochs": 0,
    "backbone_rate": 1.0,
}
SHAPED = record({}, {"filters_per_class": or_none(list_of(whole()))})
"""Figures that are a list, in `metrics.json`."""
LOCK_NAME = ".lock"
PACKAGES = ("keras", "tensorflow", "tensorflow-datasets", "numpy")


class Run:
    """A run directory: what one training wrote, for every other command.

    `config.json` (every option, versions), `images.json.gz` (which images were
    in which split), `model.keras`, `history.csv` (a line per epoch),
    `metrics.json`, `curves.png`, `gate.png`, `logs/` (TensorBoard),
    `loggers.json` (what other services call the run), and `backup/` while
    training is not finished.

    It is a path: what takes that of a run takes the run as well.

    Args:
        path: the directory.

    Attributes:
        keeps_listing: bool. Whether `images.json.gz` is there, if the data may
            change and it is not of 0.1.0, which drew its splits otherwise.
    """

    keeps_listing = True

    def __init__(self, path: str | os.PathLike):
        self.path = pathlib.Path(path)
        self.config_path = self.path / "config.json"
        self.model_path = self.path / "model.keras"
        self.metrics_path = self.path / "metrics.json"
        self.listing_path = self.path / "images.json.gz"
        self.backup_path = self.path / "backup"
        self.logs_path = self.path / "logs"
        self.loggers_path = self.path / "loggers.json"
        self.curves_path = self.path / "curves.png"
        self.gate_path = self.path / "gate.png"
        self.confusion_path = self.path / "confusion.png"
        self.ablation_path = self.path / "ablation.png"
        self._lock = filelock.FileLock(self.path / LOCK_NAME)

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __str__(self) -> str:
        return os.fspath(self)

    def check_finished(self) -> None:
        """Refuses what is no run, and one that is not finished.

        Raises:
            ValueError: saying which.
        """
        if not self.config_path.exists():
            raise ValueError(
                f"{self.path} is not a run directory: it has no config.json. "
                "`keras-csg train --out RUN` writes one."
            )
        if not self.is_finished():
            raise ValueError(
                f"{self.path} has no model.keras: the training is not "
                "finished. Go on with `keras-csg train --resume --out "
                f"{self.path}`."
            )

    def create(
        self,
        options: TrainingOptions,
        weights_sha256: str | None = None,
        listing: Listing | None = None,
    ) -> None:
        """Makes the directory and writes `config.json` and `images.json.gz`.

        Args:
            options: `TrainingOptions`.
            weights_sha256: str. Of the file that `options.weights` names.
            listing: `Listing` of the images, where they may change.

        Raises:
            ValueError: if the directory exists and is not empty, or cannot be
                written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self.path} exists and is not a directory.")
        if self.path.exists() and any(self.path.iterdir()):
            hint = (
                "go on with `resume`, or name another directory"
                if self.config_path.exists()
                else "name another directory"
            )
            raise ValueError(
                f"{self.path} exists already and is not empty: {hint}."
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.lock()
            self.write_listing(listing)
            record = {"weights_sha256": weights_sha256, "versions": versions()}
            write_json(self.config_path, {**options.to_dict(), **record})
        except OSError as error:
            raise ValueError(f"Cannot write to {self.path}: {error}") from error

    def lock(self) -> None:
        """Keeps a second training out of the directory, until this one ends.

        Raises:
            ValueError: if another process is training in it.
        """
        if self._lock.is_locked:  # By this very object.
            return
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            raise ValueError(
                f"Another process is training in {self.path}; wait for it or "
                "stop it first."
            ) from None

    def unlock(self) -> None:
        """Lets others in again."""
        if self._lock.is_locked:
            self._lock.release()
            with contextlib.suppress(OSError):  # Another one may have it.
                (self.path / LOCK_NAME).unlink(missing_ok=True)

    @property
    def options(self) -> TrainingOptions:
        """The `TrainingOptions` of the run.

        Raises:
            ValueError: if `config.json` is damaged, or of another version.
        """
        values = {**OPTIONS_OF_0_1_0, **read_config(self.config_path)}
        try:
            return TrainingOptions.from_dict(values)
        except ValueError as error:
            raise ValueError(
                f"Cannot read {self.config_path}: {error}"
            ) from error

    @property
    def history(self) -> History:
        """The `History` of the epochs."""
        return History(self.path / "history.csv")

    def read_listing(self) -> Listing | None:
        """Returns the list of its images, `None` for runs that kept none.

        Raises:
            ValueError: if the file is damaged.
        """
        path = self.listing_path
        return Listing.read(path) if path.exists() else None

    def write_listing(self, listing: Listing | None) -> None:
        """Writes the list of its images, where they may change.

        Args:
            listing: `Listing`, or `None`.
        """
        if listing is not None:
            listing.write(self.listing_path)

    def was_trained(self) -> bool:
        """Whether there is an epoch that training can go on from."""
        backup, _ = newest_backup(self.backup_path)
        return backup is not None or self.is_finished()

    def check_weights(self, report: WeightsReport) -> None:
        """Refuses weights other than those that the run was started with.

        Args:
            report: `WeightsReport`.

        Raises:
            ValueError: if their file has changed since.
        """
        # 0.1.0 knew weights by name alone, and wrote none.
        config = json.loads(self.config_path.read_text())
        if config.get("weights_sha256") != report.sha256:
            raise ValueError(
                f"{report.source} is not the file that {self.path} was started "
                "with any more, and there is no backup of a finished epoch: "
                "start another run."
            )

    def check_writable(self) -> None:
        """Refuses a directory that nothing can be written into.

        Raises:
            ValueError: naming it.
        """
        there = self.path
        while not there.exists():  # It is made when there is something to keep.
            there = there.parent
        if not os.access(there, os.W_OK):
            raise ValueError(f"Cannot write to {self.path}.")

    def file(self, name: str) -> pathlib.Path:
        """Returns the path of a file to write; the directory is there then."""
        self.path.mkdir(parents=True, exist_ok=True)
        return self.path / name

    def is_finished(self) -> bool:
        """Whether the run was trained to its end."""
        return self.model_path.exists()

    def save_model(self, model: keras.Model) -> None:
        """Writes `model.keras`, whole or not at all."""
        with whole_file(self.model_path) as part:
            model.save(part)

    def load_model(self) -> keras.Model:
        """Returns the trained `CSGClassifier`.

        Raises:
            ValueError: if the file is damaged.
        """
        return read_model_file(self.model_path)

    def read_metrics(self) -> dict:
        """Returns what `metrics.json` holds, an empty dict without one.

        Raises:
            ValueError: if the file is damaged.
        """
        if not self.metrics_path.exists():
            return {}
        try:
            figures = table_of(figure)(read_json(self.metrics_path), "it")
            return {**figures, **SHAPED(figures, "figures")}
        except (ValueError, OSError) as error:
            raise ValueError(
                f"{self.metrics_path} is damaged: {error}. Remove it."
            ) from error

    def write_metrics(self, metrics: dict) -> None:
        """Writes `metrics.json`."""
        write_json(self.metrics_path, metrics)


def versions() -> dict[str, str]:
    """Returns what a run depends on: package and Python versions."""
    return {
        "python": platform.python_version(),
        "keras-csg": version(),
        **{name: package_version(name) for name in PACKAGES},
    }
