import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_csg.explain.pictures import Picture
from keras_csg.explain.sentences import sentences_about
from keras_csg.metrics.gates import own_filters
from keras_csg.models.filter_names import filter_label

SHOWN_AS_HTML = 8
"""Images of an explanation that a notebook shows, at most."""


@dataclasses.dataclass(frozen=True, eq=False)
class Evidence:
    """What filters add to a logit, or to the difference of two, and where.

    Of n images, K filters, and the m of them that add most, of either sign.

    Attributes:
        classes: int array of shape `(n,)`: the class of each image.
        totals: float array of shape `(n,)`: the logit without its bias, which
            the contributions sum to.
        biases: float array of shape `(n,)`; `None` if not known.
        contributions: float32 array of shape `(n, K)`, in units of the logit.
        filters: int array of shape `(n, m)`: the filters with the largest
            contributions of either sign, the largest first.
        maps: float32 array of shape `(n, m, h, w)`: what each of these adds
            from where; its mean is the contribution. `None` if not known.
        heatmap: float32 array of shape `(n, h, w)`, in `[0, 1]`: where the
            evidence lies, for a class over its own filters: the positive part
            of the sum of their maps, by its maximum. A list of n of them where
            the images differ in size; `None` if not known.
        peaks: float array of shape `(n,)`: that maximum, to set heatmaps of
            several classes side by side. `None` if not known.
    """

    classes: np.ndarray
    totals: np.ndarray
    biases: np.ndarray | None
    contributions: np.ndarray
    filters: np.ndarray
    maps: np.ndarray | None = None
    heatmap: np.ndarray | list[np.ndarray] | None = None
    peaks: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Removal:
    """What would be predicted without some filters.

    Attributes:
        classes: int array: the class that would be predicted.
        probabilities: float array of that shape: of the class that is
            predicted with them.
    """

    classes: np.ndarray
    probabilities: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Which filters decided, to whom they belong, and what is without them.

    Of n images, C classes and K filters. `keras_csg.CSGClassifier.explain`
    makes it.

    Attributes:
        pictures: list of `Picture`, the images.
        class_names: list of str.
        filter_names: dict from filters' numbers to a person's words for them.
        probabilities: float array of shape `(n, C)`, standard path.
        class_specific_probabilities: the same of the head in which each class
            has its own filters alone; `None` without a gate.
        gate_matrix: float array of shape `(C, K)` in `[0, 1]`; `None` without
            a gate.
        filter_classes: int array of shape `(K,)`: the class that the gate
            gives each filter; without a gate that of its largest weight;
            `None` if not known.
        predicted: `Evidence` for the class that is predicted.
        other: `Evidence` for the class that was asked for, or else the second
            likeliest; `None` if not known.
        contrast: `Evidence` of the predicted class less that of the other:
            why this and not that. `None` if not known.
        without: `Removal` of each of the `predicted.filters`, arrays of shape
            `(n, m)`; `None` if not known.
        without_own: `Removal` of all filters that are the predicted class's
            own, arrays of shape `(n,)`; `None` if not known or without a gate.
        multi_label: bool. Whether an image may have several classes.
        standard_logits: bool. Whether contributions are those to the logits
            of the standard path. An exported file has those that it answers
            with: through the gate, or without one less the mean of all
            classes.
        limits: list of str: what cannot be shown, and why.
        switched_off: ints: the filters without which all of this is.
        unread: list of str: files that could not be read, and why.
    """

    pictures: list[Picture]
    class_names: list[str]
    filter_names: dict[int, str]
    probabilities: np.ndarray
    class_specific_probabilities: np.ndarray | None
    gate_matrix: np.ndarray | None
    filter_classes: np.ndarray | None
    predicted: Evidence
    other: Evidence | None = None
    contrast: Evidence | None = None
    without: Removal | None = None
    without_own: Removal | None = None
    multi_label: bool = False
    standard_logits: bool = True
    limits: list[str] = dataclasses.field(default_factory=list)
    switched_off: tuple[int, ...] = ()
    unread: list[str] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        return len(self.pictures)

    def __repr__(self) -> str:
        return (
            f"<Explanation of {len(self)} images, {len(self.class_names)} "
            f"classes, {self.predicted.contributions.shape[1]} filters>"
        )

    @property
    def heads_agree(self) -> np.ndarray | None:
        """Whether both heads name one class: bools `(n,)`, or `None`."""
        if self.class_specific_probabilities is None:
            return None
        specific = self.class_specific_probabilities.argmax(axis=-1)
        return specific == self.predicted.classes

    @property
    def own_filters(self) -> np.ndarray | None:
        """Filters fully open to each class, bools `(C, K)`, or `None`."""
        if self.gate_matrix is None:
            return None
        return own_filters(self.gate_matrix)

    def filter_label(self, number: int) -> str:
        """Returns what a filter is called: its number, and words for it."""
        return filter_label(self.filter_names, number)

    def owner(self, number: int) -> str | None:
        """Returns the name of a filter's class, `None` if not known."""
        if self.filter_classes is None:
            return None
        return self.class_names[self.filter_classes[number]]

    def sentences(self, index: int = 0) -> list[str]:
        """Says in words what decided about an image.

        Args:
            index: int. Number of the image.

        Returns:
            list of str, the prediction first.
        """
        return sentences_about(self, self._checked(index))

    def plot(
        self, index: int = 0, galleries: Mapping[int, np.ndarray] | None = None
    ) -> Any:
        """Draws an image with the filters that decided.

        Args:
            index: int. Number of the image.
            galleries: dict from filters' numbers to images that fire them
                most, uint8 arrays of shape `(images, side, side, 3)`, such as
                `keras_csg.reports.filter_galleries` gives.

        Returns:
            `matplotlib.figure.Figure`; a notebook shows it.
        """
        from keras_csg.plots.explanations import explanation_figure

        return explanation_figure(self, self._checked(index), galleries)

    def overlay(self, index: int = 0, *, other: bool = False) -> np.ndarray:
        """Lays a class's heatmap over an image.

        Args:
            index: int. Number of the image.
            other: bool. Whether it is that of the class that was asked for, or
                else the second likeliest, and not of the predicted one. Both
                are on one scale.

        Returns:
            uint8 array of shape `(height, width, 3)`, of the image's own size
            and aspect; very small ones are enlarged.

        Raises:
            ValueError: if there is no heatmap.
        """
        from keras_csg.plots.maps import overlay

        evidence = self.other if other else self.predicted
        if evidence is None or evidence.heatmap is None:
            raise ValueError("There is no heatmap. " + " ".join(self.limits))
        index = self._checked(index)
        picture = self.pictures[index].enlarged()
        heat = picture.spread(evidence.heatmap[index])
        return overlay(picture.pixels, heat)

    def to_dict(self) -> dict[str, Any]:
        """Returns what JSON can hold: words and figures, no arrays of pixels.

        Returns:
            A dict with `limits`, `unread`, what is wrong with files that
            could not be read, and `images`, a list with a dict for each.
        """
        from keras_csg.explain.listed import listed_image

        images = [listed_image(self, index) for index in range(len(self))]
        return {
            "limits": list(self.limits),
            "unread": list(self.unread),
            "images": images,
        }

    def _repr_html_(self) -> str:
        from keras_csg.plots.explanations import explanation_html

        shown = range(min(len(self), SHOWN_AS_HTML))
        left = len(self) - len(shown)
        return explanation_html(self, shown, left)

    def _checked(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"`index` must be one of {len(self)} images. "
                f"Received: index={index}"
            )
        return range(len(self))[index]
