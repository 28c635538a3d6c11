"""How accurate classifiers stay as images get worse, strength by strength."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.answers import Answers, Asked, agrees, predicted
from keras_csg.robustness.attacks.registry import create_attack
from keras_csg.robustness.batches import NumberedBatch
from keras_csg.robustness.corruptions import LEVELS, corrupt
from keras_csg.robustness.distance import write_epsilon

CLEAN = "clean"
HEADINGS = {"standard": "accuracy", "class_specific": "class_specific_accuracy"}
"""What the figure of each head is called."""


@dataclasses.dataclass(frozen=True)
class Change:
    """What is done to images, at several strengths.

    Attributes:
        name: str. Of an attack, a corruption, or `"clean"`.
        kind: `"clean"`, `"attack"` or `"corruption"`.
        strengths: the epsilons, or the levels.
    """

    name: str
    kind: str
    strengths: tuple[float, ...] = (0,)

    def written(self) -> list[str]:
        """Returns the strengths as people write them."""
        if self.kind == "attack":
            return [write_epsilon(strength) for strength in self.strengths]
        return [str(strength) for strength in self.strengths]


def changes_of(
    attacks: Iterable[str],
    epsilons: Sequence[float],
    corruptions: Iterable[str],
) -> list[Change]:
    """Returns the `Change`s to measure: none first, then these."""
    return [
        Change(CLEAN, CLEAN),
        *(Change(name, "attack", tuple(epsilons)) for name in attacks),
        *(Change(name, "corruption", LEVELS) for name in corruptions),
    ]


class RobustnessCount:
    """Which images classifiers tell after each change, batch by batch.

    Of each image and strength it keeps a bit for each classifier and head, so
    that two classifiers are compared image by image.

    Args:
        models: dict from a name to a `CSGClassifier`; all of the same classes
            and image size.
        changes: list of `Change`.
        norm: `"linf"` or `"l2"`, of the attacks.
        seed: int.
    """

    def __init__(
        self,
        models: Mapping[str, CSGClassifier],
        changes: Sequence[Change],
        *,
        norm: str = "linf",
        seed: int = 0,
    ) -> None:
        self.models = dict(models)
        self.changes = list(changes)
        self.norm = norm
        self.seed = seed
        self._asked = {name: Asked(model) for name, model in models.items()}
        self._attacks: dict[tuple, Callable] = {}
        self._right: dict[tuple, list[np.ndarray]] = {}
        self._flat: dict[tuple, list[np.ndarray]] = {}

    def heads(self, name: str) -> list[str]:
        """Returns the heads of a classifier."""
        gated = self.models[name].gated
        return list(HEADINGS) if gated else ["standard"]

    def see(self, batch: NumberedBatch, change: Change) -> None:
        """Changes a batch at all strengths, and asks all classifiers."""
        for strength in change.strengths:
            if change.kind == "attack":
                self._attack(batch, change, strength)
                continue
            images = batch.images
            if change.kind == "corruption":
                images = corrupt(
                    images,
                    change.name,
                    int(strength),
                    seed=self.seed,
                    numbers=batch.numbers,
                )
            for name, asked in self._asked.items():
                answers = asked(images)
                for head in self.heads(name):
                    self._keep(name, head, change, strength, answers, batch)

    def _attack(self, batch, change, strength):
        """Attacks each head of each classifier by itself."""
        for name, asked in self._asked.items():
            for head in self.heads(name):
                attack = self._attack_on(name, head, change.name)
                found = attack(
                    batch.images, batch.labels, strength, batch.numbers
                )
                answers = asked(found.images)
                self._keep(name, head, change, strength, answers, batch)
                place = (name, head, change.name, strength)
                self._flat.setdefault(place, []).append(found.zero_gradient)

    def _attack_on(self, name, head, method):
        """Returns an attack, which is compiled once."""
        place = (name, head, method)
        if place not in self._attacks:
            self._attacks[place] = create_attack(
                self.models[name],
                method,
                norm=self.norm,
                head=head,
                seed=self.seed,
            )
        return self._attacks[place]

    def _keep(self, name, head, change, strength, answers: Answers, batch):
        several = self.models[name].multi_label
        said = predicted(answers.of(head), several)
        place = (name, head, change.name, strength)
        self._right.setdefault(place, []).append(agrees(said, batch.labels))

    def right(self, name: str, head: str, change: Change) -> np.ndarray:
        """Returns which images are told, bools `(strengths, images)`."""
        return np.stack(
            [
                np.concatenate(self._right[name, head, change.name, strength])
                for strength in change.strengths
            ]
        )

    def flat(self, name: str, head: str, change: Change) -> list[float]:
        """Returns the shares of images without a gradient, by strength."""
        return [
            float(
                np.mean(
                    np.concatenate(
                        self._flat[name, head, change.name, strength]
                    )
                )
            )
            for strength in change.strengths
        ]

    def figures(self) -> dict[str, Any]:
        """Returns what was counted; see `keras_csg.measure_robustness`."""
        clean = self.changes[0]
        first = next(iter(self.models))
        figures = {
            "images": self.right(first, "standard", clean).shape[1],
            "norm": self.norm,
            "runs": {name: self._of_run(name) for name in self.models},
            "curves": [self._curve(change) for change in self.changes[1:]],
        }
        if len(self.models) == 2:
            figures["differences"] = self._differences()
        return figures

    def _differences(self):
        """Compares two classifiers without a change, and over all of a kind."""
        found = {}
        for kind in (CLEAN, "attack", "corruption"):
            changes = [x for x in self.changes if x.kind == kind]
            if changes:
                found[kind] = paired_difference(
                    *(
                        np.concatenate(
                            [self.right(name, "standard", x) for x in changes]
                        )
                        for name in self.models
                    )
                )
        return found

    def _of_run(self, name):
        """Returns the accuracies without a change, and their means with one."""
        figures = {}
        for head in self.heads(name):
            heading = HEADINGS[head]
            clean = self.right(name, head, self.changes[0])
            figures[heading] = float(clean.mean())
            for kind in ("attack", "corruption"):
                found = [
                    self.right(name, head, change).mean()
                    for change in self.changes
                    if change.kind == kind
                ]
                if found:
                    figures[f"mean_{kind}_{heading}"] = float(np.mean(found))
        return figures

    def _curve(self, change):
        curve = {
            "change": change.name,
            "kind": change.kind,
            "strengths": change.written(),
            "runs": {n: self._points(n, change) for n in self.models},
        }
        if len(self.models) == 2:
            first, second = (
                self.right(name, "standard", change) for name in self.models
            )
            curve |= paired_difference(first, second)
        return curve

    def _points(self, name, change):
        points = {}
        for head in self.heads(name):
            means = self.right(name, head, change).mean(axis=1)
            points[HEADINGS[head]] = [float(mean) for mean in means]
            if change.kind == "attack":
                flat = self.flat(name, head, change)
                prefix = HEADINGS[head].removesuffix("accuracy")
                points[f"{prefix}zero_gradients"] = flat
        return points


def paired_difference(
    first: np.ndarray, second: np.ndarray
) -> dict[str, float | None]:
    """Compares two classifiers on the same images, over all strengths.

    Args:
        first: bools of shape `(strengths, images)`: which are told.
        second: the same of the other.

    Returns:
        dict of `difference`, the mean accuracy of the first less that of the
        second, and its `standard_error`, of the images as a sample; `None` of
        one image.
    """
    each = first.mean(axis=0) - second.mean(axis=0)
    error = None
    if len(each) > 1:
        error = float(each.std(ddof=1) / np.sqrt(len(each)))
    return {"difference": float(each.mean()), "standard_error": error}
