import contextlib
import csv
import os
import pathlib
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from PIL import Image

from keras_csg.files import at_home, check_folder, hidden_part, naming
from keras_csg.robustness.batches import NumberedBatch

COLUMNS = ("file", "label", "before", "after")


class AttackedImages:
    """A folder of attacked images, which is there when it is whole.

    PNG files, by the image's number in its split, and `index.csv` of their
    names, their labels and what the network says of them before and after.

    Args:
        path: path of the folder.

    Raises:
        ValueError: if there is something at the path, or nothing can be
            written there.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = at_home(path)
        empty = self.path.is_dir() and not any(self.path.iterdir())
        if os.path.lexists(self.path) and not empty:
            raise ValueError(
                f"{self.path} exists already: name a folder of its own for the "
                "images."
            )
        check_folder(self.path.absolute().parent)

    def __enter__(self) -> Self:
        self.path.absolute().parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            self._part = stack.enter_context(hidden_part(self.path))
            self._part.mkdir()
            index = self._part / "index.csv"
            stream = stack.enter_context(
                index.open("w", newline="", encoding="utf-8")
            )
            self._index = csv.writer(stream)
            self._index.writerow(COLUMNS)
            self._stream = stream
            self._stack = stack.pop_all()  # Only now is there an end of it.
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        with naming(self.path.absolute()), self._stack:
            if kind is not None:
                return
            self._stream.close()
            if self.path.is_dir():  # It was empty.
                self.path.rmdir()
            self._part.rename(self.path)

    def writer(self, model: Any) -> Callable:
        """Returns what writes a batch; see `AttackCount`.

        Args:
            model: `CSGClassifier`, for the names of its classes.
        """
        names = model.class_names or [str(n) for n in range(model.num_classes)]

        def write(
            batch: NumberedBatch,
            images: np.ndarray,
            before: np.ndarray,
            after: np.ndarray,
        ) -> None:
            rows = zip(
                batch.numbers, images, batch.labels, before, after, strict=True
            )
            with naming(self.path.absolute()):
                for number, image, *answers in rows:
                    file = f"{number:06d}.png"
                    # A picture of ours would be passed over by `predict`.
                    Image.fromarray(image).save(self._part / file)
                    said = [_words(answer, names) for answer in answers]
                    self._index.writerow([file, *said])

        return write


def _words(answer, names):
    """Returns the name of a class, or of several with bars between."""
    if np.ndim(answer):
        return "|".join(names[number] for number in np.flatnonzero(answer))
    return names[int(answer)]
