"""What the page asks of a classifier: pictures in, explanations out."""

import dataclasses
import os
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_csg.data.image_reading import ImageReading
from keras_csg.evaluation.filter_survey import FilterSurvey
from keras_csg.explain import (
    Evidence,
    Explanation,
    SeenImages,
    explain,
    look_at,
)
from keras_csg.explain.class_filters import head_of
from keras_csg.explain.seen_images import pictures_of
from keras_csg.metrics.gates import own_filters
from keras_csg.models.class_names import class_names_of
from keras_csg.models.classifier import CSGClassifier
from keras_csg.models.filter_names import filter_label

FILTERS = 8
"""Filters of a class that the page shows."""
MOST_PIXELS = 100_000_000
"""Of a picture: a visitor's may not take all of the machine's memory."""
LONGEST_SIDE = 640
"""Of a picture that is kept and shown."""


@dataclasses.dataclass(frozen=True, eq=False)
class Look:
    """What one visitor looks at: nothing of it is shared with another.

    Attributes:
        seen: `SeenImages` of one picture.
        shown: int. The class whose filters and heatmap are shown.
        off: ints: the filters that are switched off, in order.
        filters: ints: the filters that are shown, those that add most to the
            shown class, of either sign, when all are on.
    """

    seen: SeenImages
    shown: int
    filters: tuple[int, ...] = ()
    off: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What a `Look` shows.

    Attributes:
        look: the `Look`.
        now: `Explanation` without what is switched off.
        whole: `Explanation` with all filters.
    """

    look: Look
    now: Explanation
    whole: Explanation

    @property
    def heat(self) -> Any:
        """The `Evidence` for the shown class, without what is off.

        Of a classifier, so none of it is missing.
        """
        return evidence_for(self.now, self.look.shown)

    @property
    def evidence(self) -> Any:
        """The same with all filters."""
        return evidence_for(self.whole, self.look.shown)


def evidence_for(explanation: Explanation, number: int) -> Evidence:
    """Returns the evidence for the class that an explanation was asked for."""
    predicted = explanation.predicted
    other = explanation.other
    return predicted if predicted.classes[0] == number else other or predicted


class Workbench:
    """A classifier to be tried by hand.

    Args:
        model: `CSGClassifier`.
        name: str. What the run is called.
        survey: `FilterSurvey`: the images that fire each filter most; `None`
            for none.
        notes: strs: what cannot be shown, and why.
    """

    def __init__(
        self,
        model: CSGClassifier,
        name: str,
        survey: FilterSurvey | None = None,
        notes: Iterable[str] = (),
    ):
        self.model = model
        self.name = name
        self.survey = survey
        self.notes = list(notes)
        self.class_names = class_names_of(model)
        head = head_of(model)
        self.filter_classes = head.classes_of_filters()
        self.own = self.filter_classes == np.arange(head.num_classes)[:, None]
        if head.gate_matrix is not None:
            self.own = own_filters(head.gate_matrix)
        self._reading = ImageReading(
            **model.image_reading, max_pixels=MOST_PIXELS
        )
        self.crops: dict[int, list] = {}  # As HTML has them, once drawn.
        self._one_at_a_time = threading.Lock()

    def open(self, path: str | os.PathLike, name: str = "The file") -> Look:
        """Looks at a picture.

        Args:
            path: path of the file.
            name: str. What the visitor calls it.

        Returns:
            `Look` at the class that is predicted.

        Raises:
            ValueError: saying why it cannot be read, without its path.
        """
        size = tuple(self.model.input_shape[1:3])
        try:
            pictures, pixels = pictures_of(path, size, self._reading)
            kept = [pictures[0].enlarged().within(LONGEST_SIDE)]
            _ = kept[0].pixels  # Decoded to the end, or refused.
        except ValueError:
            raise ValueError(self._why_not(path, name)) from None
        with self._one_at_a_time:
            maps = look_at(self.model, pixels).maps
        seen = SeenImages(kept, maps)
        found = self._explained(seen)
        return self.look_for(Look(seen, 0), int(found.predicted.classes[0]))

    def look_for(self, look: Look, shown: int) -> Look:
        """Returns a look at another class, with the same filters off."""
        found = evidence_for(self._explained(look.seen, shown), shown)
        filters = tuple(found.filters[0].tolist())
        return dataclasses.replace(look, shown=shown, filters=filters)

    def switch(self, look: Look, off: Iterable[int]) -> Look:
        """Returns a look without some filters, and with all others."""
        numbers = {int(number) for number in off}
        return dataclasses.replace(look, off=tuple(sorted(numbers)))

    def without_own(self, look: Look) -> Look:
        """Returns a look without all filters of the shown class, too."""
        own = np.flatnonzero(self.own[look.shown]).tolist()
        return self.switch(look, {*look.off, *own})

    def answer(self, look: Look) -> Answer:
        """Explains a look. The backbone is not run: its maps were kept."""
        whole = self._explained(look.seen, look.shown)
        now = whole
        if look.off:
            now = self._explained(look.seen, look.shown, look.off)
        return Answer(look, now, whole)

    def filter_label(self, number: int) -> str:
        """Returns what a filter is called, and whose it is."""
        owner = self.class_names[self.filter_classes[number]]
        return f"{filter_label(self.model, number)} of {owner}"

    def _explained(self, seen, shown=None, off=()):
        return explain(self.model, seen, shown, filters=FILTERS, without=off)

    def _why_not(self, path, name):
        why = self._reading.why_broken(path) or "broken"
        return (
            f"{name} cannot be read as a picture: {why}. JPEG, PNG, WebP, GIF, "
            "BMP and TIFF can."
        )
