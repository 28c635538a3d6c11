"""Attacks a classifier over a split, and counts what came of it."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_csg.choices import BOUNDED_ATTACKS
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.answers import (
    Asked,
    agrees,
    other_labels,
    predicted,
)
from keras_csg.robustness.attacks.adaptive import DetectorScores
from keras_csg.robustness.attacks.gradient_attack import Attacked
from keras_csg.robustness.batches import NumberedBatch
from keras_csg.robustness.distance import distances, rounded


class AttackCount:
    """What an attack did, batch by batch.

    Args:
        model: `CSGClassifier` that is to be misled.
        attack: callable from images, labels, an epsilon and numbers to
            `Attacked`; it may be made for another model.
        method: str. Its name.
        epsilon: float. Its strength.
        norm: `"linf"` or `"l2"`.
        targeted: bool. Whether it aims at a class.
        seed: int. Of the class that it aims at.
        detector: see `AdaptiveAttack`; `None` for none.
        keep: callable from a batch, the rounded images and what is said
            before and after, for `None` for nobody.
    """

    def __init__(
        self,
        model: CSGClassifier,
        attack: Callable[..., Attacked],
        *,
        method: str,
        epsilon: float,
        norm: str,
        targeted: bool = False,
        seed: int = 0,
        detector: Any = None,
        keep: Callable[..., Any] | None = None,
    ) -> None:
        self.model = model
        self.attack = attack
        self.limited = method in BOUNDED_ATTACKS
        self.epsilon = epsilon
        self.norm = norm
        self.targeted = targeted
        self.seed = seed
        self.detector = detector
        self.keep = keep
        self._asked = Asked(model)
        self._scores = detector and DetectorScores(model, detector)
        self._found: list[dict[str, np.ndarray]] = []
        self._minutes = 0.0

    def run(self, batches: Iterable[NumberedBatch]) -> dict[str, Any]:
        """Attacks batches and returns the `figures`."""
        for batch in batches:
            self.see(batch)
        return self.figures()

    def see(self, batch: NumberedBatch) -> None:
        """Attacks a batch."""
        numbers, images, labels = batch
        wanted = labels
        if self.targeted:
            wanted = other_labels(
                labels, self.model.num_classes, self.seed, numbers
            )
        began = time.monotonic()
        found = self.attack(images, wanted, self.epsilon, numbers)
        self._minutes += (time.monotonic() - began) / 60
        if self.limited:
            self._count(batch, wanted, found.images, found.zero_gradient)
            return
        # It went as far as it had to, be it from a class that was wrong.
        away = distances(found.images, images).of(self.norm)
        before, after = (
            self._said(self._asked(x).logits, wanted) == self.targeted
            for x in (images, found.images)
        )
        moved = ~before & (away <= self.epsilon * (1 + 1e-4))
        attacked = np.where(moved[:, None, None, None], found.images, images)
        self._count(batch, wanted, attacked, found.zero_gradient)
        self._found[-1]["least"] = np.where(after & ~before, away, np.nan)

    def _said(self, logits, labels):
        return agrees(predicted(logits, self.model.multi_label), labels)

    def _count(self, batch, wanted, attacked, zero):
        _, images, labels = batch
        before, after = self._asked(images), self._asked(attacked)
        whole = rounded(attacked, images, self.epsilon, self.norm)
        after_rounding = self._asked(whole)
        away = distances(attacked, images)
        counts = {
            "before": self._said(before.logits, labels),
            "after": self._said(after.logits, labels),
            "rounded": self._said(after_rounding.logits, labels),
            "aimed_before": self._said(before.logits, wanted),
            "aimed_after": self._said(after.logits, wanted),
            "zero": zero,
            "linf": away.linf,
            "l2": away.l2,
        }
        if before.specific is not None:
            counts |= {
                "specific_before": self._said(before.specific, labels),
                "specific_after": self._said(after.specific, labels),
            }
        if self._scores is not None:
            most = self.detector.threshold_
            counts |= {
                "flagged_before": self._scores(images) > most,
                "flagged_after": self._scores(attacked) > most,
            }
        self._found.append(counts)
        if self.keep is not None:
            several = self.model.multi_label
            self.keep(
                batch,
                whole,
                predicted(before.logits, several),
                predicted(after_rounding.logits, several),
            )

    def figures(self) -> dict[str, Any]:
        """Returns what was counted, as a flat dict.

        - `images`, `minutes` (of attacking alone).
        - `accuracy`, `robust_accuracy`: before and after the attack, of the
          standard head; `rounded_robust_accuracy` of images as files hold
          them. Where an image may have several classes, the share whose
          classes are all told, and no others. `None` after an attack that had
          no gradient anywhere: nothing was tried.
        - `class_specific_accuracy`, `class_specific_robust_accuracy`: of a
          gated network.
        - `success_rate`: of the images that were told, the share that is not
          any more; of a targeted attack, of the images not taken for what it
          aims at, the share that is. `None` without such images.
        - `mean_linf`, `mean_l2`: how far images were moved, as shares of the
          range of a pixel.
        - `zero_gradients`: share of the images whose gradient was zero.
        - `misled`, `median_distance`: of an attack that looks for the least
          change: the share of the images for which it found one however far,
          and the median of how far that is, by its norm; both of the images
          that `success_rate` is of.
        - `false_alarms`, `detected`: with a detector, the shares of the images
          before and after that it flags; `unseen_success_rate`: the success
          rate where an image must go by it as well.
        """
        names = self._found[0]
        all_of = {
            name: np.concatenate([found[name] for found in self._found])
            for name in names
        }
        figures: dict[str, Any] = {
            "images": len(all_of["before"]),
            "accuracy": _mean(all_of["before"]),
            "robust_accuracy": _mean(all_of["after"]),
            "rounded_robust_accuracy": _mean(all_of["rounded"]),
        }
        if "specific_before" in all_of:
            figures |= {
                "class_specific_accuracy": _mean(all_of["specific_before"]),
                "class_specific_robust_accuracy": _mean(
                    all_of["specific_after"]
                ),
            }
        won, possible = self._won(all_of)
        figures |= {
            "success_rate": _mean(won[possible]),
            "mean_linf": _mean(all_of["linf"]),
            "mean_l2": _mean(all_of["l2"]),
            "zero_gradients": _mean(all_of["zero"]),
        }
        if "least" in all_of:
            least = all_of["least"]
            there = np.isfinite(least)
            figures["misled"] = _mean(there[possible])
            figures["median_distance"] = (
                float(np.median(least[there])) if there.any() else None
            )
        if "flagged_after" in all_of:
            unseen = won & ~all_of["flagged_after"]
            figures |= {
                "false_alarms": _mean(all_of["flagged_before"]),
                "detected": _mean(all_of["flagged_after"]),
                "unseen_success_rate": _mean(unseen[possible]),
            }
        if all_of["zero"].all():
            figures |= {
                name: None
                for name in figures
                if "robust" in name or "success" in name
            }
        figures["minutes"] = round(self._minutes, 3)
        return figures

    def _won(self, all_of):
        """Returns where the attack succeeded, and where it could."""
        if self.targeted:
            return all_of["aimed_after"], ~all_of["aimed_before"]
        return ~all_of["after"], all_of["before"]


def gradient_warning(figures: dict[str, Any]) -> str | None:
    """Returns a line about a gradient that vanishes; `None` where none does.

    Args:
        figures: as `AttackCount.figures` returns them.
    """
    share = figures["zero_gradients"]
    if not share:
        return None
    where = "any image" if share == 1 else f"{share:.1%} of the images"
    return (
        f"The gradient vanishes on {where}: nothing was tried there, so that "
        "they are told right is no robustness. The square attack needs no "
        "gradient; attacks can come from another run, too."
    )


def _mean(values):
    return float(values.mean()) if len(values) else None
