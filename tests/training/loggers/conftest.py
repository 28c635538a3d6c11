import pytest

from keras_csg.training import Run, TrainingOptions
from keras_csg.training.loggers.run_loggers import SERVICES

FIGURES = {"accuracy": 0.75, "mis": 0.1, "class_recall": [1, 0], "gap": None}


class Training:
    """What a logger sees of a training, without a network."""

    def __init__(self, path, name, **options):
        self.run = Run(path)
        if not path.exists():
            self.run.create(TrainingOptions(loggers=name, **options))
            self.run.unlock()
        self.lines = []
        self.logger = SERVICES[name](self.run, self.lines.append)
        self.logger.open()
        self.lines.clear()  # Where it is logged to.

    def begin(self):
        self.logger.on_train_begin()
        return self

    def epoch(self, number):
        """Writes the row of an epoch, as a backup does, and goes on."""
        row = {"epoch": number, "seconds": 2.5, "loss": 1 / number}
        self.run.history.append(row)
        self.logger.on_epoch_end(number - 1)
        return self

    def finish(self):
        self.run.write_metrics(FIGURES)
        self.run.gate_path.write_bytes(b"a picture")
        self.run.model_path.write_bytes(b"a network")
        self.logger.finish(FIGURES)
        return self


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts what stands for a training of the run `tiny`, or goes on."""
    monkeypatch.chdir(tmp_path)

    def call(name, **options):
        return Training(tmp_path / "tiny", name, **options)

    return call
