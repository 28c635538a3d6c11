"""Runs as every command but `train` takes them: finished, by path or name."""

import os
import warnings

import keras

from keras_csg.backbones.weights import WeightsCard, find_card
from keras_csg.choices import WEIGHTS_PREFIX
from keras_csg.training.changed_options import say_edits
from keras_csg.training.options import TrainingOptions
from keras_csg.training.run_folders import folder_of
from keras_csg.training.runs import Run


class ShippedRun(Run):
    """Weights that come with the package, as a run that was trained there.

    They are read from the package; what is made of them goes to a folder of
    their own within `runs`, as do figures that are measured again.

    Args:
        card: `WeightsCard`.
    """

    # The package has no room for one; the splits are those of the options.
    keeps_listing = False

    def __init__(self, card: WeightsCard):
        super().__init__(folder_of(card.source))
        self.card = card
        self.model_path = card.path

    def __fspath__(self) -> str:
        return self.card.source

    def check_finished(self) -> None:
        """Accepts them: they were trained to the end."""

    @property
    def options(self) -> TrainingOptions:
        """The `TrainingOptions` that they were trained with."""
        return TrainingOptions.from_dict(self.card.options)

    def load_model(self) -> keras.Model:
        """Returns the trained `CSGClassifier`.

        Raises:
            ValueError: if the file is not the one that came.
        """
        self.card.check_file()
        return super().load_model()

    def read_metrics(self) -> dict:
        """Returns the figures measured here or, before, those of the card."""
        return super().read_metrics() or dict(self.card.figures)


def open_run(run: Run | str | os.PathLike) -> Run:
    """Returns a finished run, given it, its path, or `weights:NAME`.

    A warning says which of its options were edited since it was trained.

    Raises:
        ValueError: if there is none, or it is not finished.
    """
    if not isinstance(run, Run):
        named = os.fspath(run).startswith(WEIGHTS_PREFIX)
        card = find_card(run) if named else None
        run = Run(run) if card is None else ShippedRun(card)
    run.check_finished()
    if not isinstance(run, ShippedRun) and (line := say_edits(run)):
        warnings.warn(line, stacklevel=2)
    return run
