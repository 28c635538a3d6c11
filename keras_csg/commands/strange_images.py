"""Images that no class describes, by what `fit_detector` is asked for."""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_csg.choices import ATTACKS, MADE_UP
from keras_csg.commands.predict import find_images
from keras_csg.data.file_images import decode_files
from keras_csg.data.image_reading import ImageReading
from keras_csg.printable import did_you_mean
from keras_csg.robustness import create_attack
from keras_csg.robustness.attacks.registry import usual_norm
from keras_csg.robustness.detection import make_up_images
from keras_csg.training.held_out import load_held_out
from keras_csg.training.runs import Run

HELD_OUT = "held-out"
SEED_OF_FIT, SEED_OF_TEST = 1, 2
BATCH_SIZE = 100


def check_kinds(unknown: Sequence[str], attacks: Sequence[str]) -> None:
    """Refuses what is neither made up here, nor held out, nor a folder.

    Raises:
        ValueError: with the nearest name.
    """
    known = (*MADE_UP, HELD_OUT)
    for name in unknown:
        if name not in known and not os.path.isdir(name):
            raise _strange("unknown", name, known, ", or folders of images")
    for name in attacks:
        if name not in ATTACKS:
            raise _strange("attacks", name, ATTACKS)


def _strange(argument, name, known, or_else=""):
    return ValueError(
        f"`{argument}` must be some of {', '.join(known)}{or_else}"
        + did_you_mean(name, known)
        + f"Received: {name!r}"
    )


class StrangeImages:
    """Makes or reads images of each kind, one half to fit on, one to test on.

    Args:
        run: `Run`.
        model: its `CSGClassifier`.
        limit: int. Images of a kind at most, in either half.
        epsilon: float. Strength of attacks, as a share of the range of
            pixels.
        data_dir: path. Where the run's data are now, if they moved.
        log: callable that takes a line of progress.
    """

    def __init__(
        self,
        run: Run,
        model: Any,
        limit: int,
        epsilon: float,
        data_dir: str | os.PathLike | None,
        log: Callable[[str], Any],
    ):
        self.limit = limit
        self._run, self._model, self._epsilon = run, model, epsilon
        self._data_dir, self._log = data_dir, log

    def of_kind(
        self, name: str, images: np.ndarray, labels: np.ndarray, test: bool
    ) -> np.ndarray:
        """Returns images of a kind; see `unknown` and `attacked`."""
        verb = "Testing on" if test else "Learning from"
        self._log(f"{verb} {name}.")
        if name in ATTACKS:
            return self.attacked(name, images, labels)
        return self.unknown(name, images, test)

    def unknown(self, name: str, images: np.ndarray, test: bool) -> np.ndarray:
        """Returns images of a kind that no class describes.

        Of a folder, and of classes that were held out, every second image is
        to fit on, the others to test on.

        Args:
            name: str; see `check_kinds`.
            images: clean ones, whose patches may be shuffled.
            test: bool. Whether they are to test on.

        Raises:
            ValueError: if there are none.
        """
        if name in MADE_UP:
            seed = SEED_OF_TEST if test else SEED_OF_FIT
            count, shape = len(images), self._model.input_shape[1:]
            return make_up_images(name, count, shape, seed, images)
        if name == HELD_OUT:
            found = load_held_out(
                self._run,
                2 * self.limit,
                data_dir=self._data_dir,
                log=self._log,
            )
        else:
            found = self._read(pathlib.Path(name))
        if len(found) < 2:
            raise ValueError(
                f"{name} has {len(found)} image that can be read; two or more "
                "are needed, to fit on and to test on."
            )
        return found[int(test) :: 2]

    def attacked(
        self,
        method: str,
        images: np.ndarray,
        labels: np.ndarray,
    ) -> np.ndarray:
        """Returns images that were attacked, as float32.

        Args:
            method: str, of `keras_csg.choices.ATTACKS`.
            images: array `(samples, height, width, 3)`.
            labels: their classes.

        Raises:
            ValueError: if the attack is not installed.
        """
        attack = create_attack(self._model, method, norm=usual_norm(method))
        numbers = np.arange(len(images))
        parts = []
        for start in range(0, len(images), BATCH_SIZE):
            some = slice(start, start + BATCH_SIZE)
            found = attack(
                images[some], labels[some], self._epsilon, numbers[some]
            )
            parts.append(found.images)
        return np.concatenate(parts)

    def _read(self, folder):
        paths = find_images(folder)
        some = np.linspace(0, len(paths) - 1, min(len(paths), 2 * self.limit))
        reading = ImageReading(**self._model.image_reading)
        images, whole = decode_files(
            [paths[number] for number in some.astype(int)],
            self._model.input_shape[1:3],
            reading,
        )
        if not whole.all():
            broken = len(whole) - int(whole.sum())
            self._log(f"{broken:,} images in {folder} are broken: left out.")
        return images[whole]
