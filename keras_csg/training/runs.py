import os
import pathlib
import warnings

import keras

from keras_csg.backbones.weights import WeightsReport, read_model_file
from keras_csg.data.listing import Listing
from keras_csg.files import (
    cannot_write,
    check_folder,
    check_links,
    check_regular_files,
    write_json,
)
from keras_csg.training.backup_files import newest_epoch
from keras_csg.training.checksums import NAME as CHECKSUMS
from keras_csg.training.checksums import Checksums
from keras_csg.training.config_files import RunConfig, read_run_config
from keras_csg.training.environment import count_threads, versions
from keras_csg.training.figures_file import read_figures
from keras_csg.training.history import History
from keras_csg.training.options import TrainingOptions
from keras_csg.training.record import NAME as RECORD
from keras_csg.training.record import Record, read_record
from keras_csg.training.run_lock import RunLock, check_unused

# What training did before there was an option to say so.
OPTIONS_OF_0_1_0 = {
    "lambda_4": 0.0,
    "lambda_5": 0.0,
    "lambda_6": 0.0,
    "head_epochs": 0,
    "backbone_rate": 1.0,
}


class Run:
    """A run directory: what one training wrote, for every other command.

    `config.json` (every option, versions), `images.json.gz` (which images were
    in which split), `model.keras`, `history.csv` (a line per epoch),
    `record.json` (options and history, which a person edits in the two others
    alone), `checksums.json` (of what is read again), `metrics.json`,
    `curves.png`, `gate.png`, `logs/` (TensorBoard), `loggers.json` (what other
    services call the run), and `backup/` while training is not finished.

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
        self.checksums = Checksums(self.path)
        self._lock = RunLock(self.path)

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
        check_regular_files(self.path)
        check_links(self.path)
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
            ValueError: if it exists and is not empty, or cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{self.path} exists and is not a directory.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            begun = (self.listing_path.name, RECORD, CHECKSUMS)
            if not self.config_path.exists():  # Somebody else's, it may be.
                check_unused(self.path, begun)
            self.lock()
            try:
                check_unused(self.path, begun)  # No other begins in it now.
            except ValueError:
                self.unlock()
                raise
            self.write_listing(listing)
            self.write_record(options)
            config = RunConfig(
                options.to_dict(), versions(), weights_sha256, count_threads()
            )
            self.write_config(config)  # As the last.
        except OSError as error:
            raise ValueError(cannot_write(self.path, error)) from error

    def lock(self) -> None:
        """Keeps a second training out of the directory, until this one ends.

        Raises:
            ValueError: if another does, or a link in it leads out of it.
        """
        self._lock.acquire()

    def unlock(self) -> None:
        """Lets others in again."""
        self._lock.release()

    @property
    def options(self) -> TrainingOptions:
        """The `TrainingOptions` of the run.

        Raises:
            ValueError: if `config.json` is damaged, or of another version.
        """
        values = {**OPTIONS_OF_0_1_0, **self.read_config().options}
        try:
            return TrainingOptions.from_dict(values)
        except ValueError as error:
            raise ValueError(
                f"Cannot read {self.config_path}: {error}"
            ) from error

    @property
    def history(self) -> History:
        """The `History` of the epochs.

        Of a finished run it is what was trained: a warning says so where
        `history.csv` is something else.
        """
        path = self.path / "history.csv"
        record = read_record(self.checksums) if self.is_finished() else None
        if record is None or not record.rows:
            return History(path)
        kept = History(path, record.rows)
        if not kept.is_in_file():
            warnings.warn(
                f"{path} is not what training wrote: the epochs are taken "
                f"from {self.path / RECORD}.",
                stacklevel=2,
            )
        return kept

    def read_record(self) -> Record | None:
        """Returns what it was trained with, `None` where nothing says it.

        Raises:
            ValueError: if `record.json` is damaged.
        """
        return read_record(self.checksums)

    def write_record(
        self, options: TrainingOptions, history: History | None = None
    ) -> None:
        """Writes what it is trained with, and the epochs at its end."""
        rows = [] if history is None else history.rows
        Record(options.to_dict(), rows).write(self.checksums)

    def read_config(self) -> RunConfig:
        """Returns what `config.json` holds.

        Raises:
            ValueError: if it is damaged.
        """
        return read_run_config(self.config_path)

    def write_config(self, config: RunConfig) -> None:
        """Writes `config.json`."""
        write_json(self.config_path, config.to_dict())

    def read_listing(self) -> Listing | None:
        """Returns the list of its images, `None` for runs that kept none.

        Raises:
            ValueError: if the file is damaged.
        """
        path = self.listing_path
        if not path.exists():
            return None
        self.checksums.check(path)
        return Listing.read(path)

    def write_listing(self, listing: Listing | None) -> None:
        """Writes the list of its images, where they may change.

        Args:
            listing: `Listing`, or `None`.
        """
        if listing is not None:
            with self.checksums.writing(self.listing_path) as part:
                listing.write(part)

    def was_trained(self) -> bool:
        """Whether there is an epoch that training can go on from."""
        return bool(newest_epoch(self.backup_path)) or self.is_finished()

    def check_weights(self, report: WeightsReport) -> None:
        """Refuses weights other than those that the run was started with.

        Args:
            report: `WeightsReport`.

        Raises:
            ValueError: if their file has changed since.
        """
        # 0.1.0 knew weights by name alone, and wrote none.
        if self.read_config().weights_sha256 != report.sha256:
            raise ValueError(
                f"{report.source} is not the file that {self.path} was started "
                "with any more, and no epoch was finished: start another run."
            )

    def check_writable(self) -> None:
        """Refuses a directory that nothing can be written into.

        Raises:
            ValueError: naming it.
        """
        check_folder(self.path)

    def file(self, name: str) -> pathlib.Path:
        """Returns the path of a file to write; the directory is there then."""
        self.path.mkdir(parents=True, exist_ok=True)
        return self.path / name

    def is_finished(self) -> bool:
        """Whether the run was trained to its end."""
        return self.model_path.exists()

    def save_model(self, model: keras.Model) -> None:
        """Writes `model.keras`, whole or not at all."""
        with self.checksums.writing(self.model_path) as part:
            model.save(part)

    def load_model(self) -> keras.Model:
        """Returns the trained `CSGClassifier`.

        Raises:
            ValueError: if the file is damaged.
        """
        self.checksums.check(self.model_path)
        return read_model_file(self.model_path)

    def read_metrics(self) -> dict:
        """Returns what `metrics.json` holds, an empty dict without one.

        Raises:
            ValueError: if the file is damaged.
        """
        if not self.metrics_path.exists():
            return {}
        return read_figures(self.checksums, self.metrics_path)

    def write_metrics(self, metrics: dict, of: str = "") -> None:
        """Writes `metrics.json`, or of other data `metrics{of}.json`."""
        path = self.file(f"metrics{of}.json")
        self.checksums.write_json(path, metrics)
