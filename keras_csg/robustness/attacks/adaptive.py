from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_csg.engines import engine
from keras_csg.models.classifier import CSGClassifier
from keras_csg.robustness.answers import Asked, agrees, predicted
from keras_csg.robustness.attacks.gradient_attack import (
    Attacked,
    GradientAttack,
    label_losses,
)

WEIGHTS = (0.0, 0.3, 1.0, 3.0)
"""How much the detector's score counts, beside the loss in nats."""
KNOWING_STEPS = 50
"""Steps for each weight: with 10, detectors seem to withstand that do not."""


def detector_scores(model: CSGClassifier, detector: Any, images: Any) -> Any:
    """Returns how strange a detector finds images, `(batch,)`.

    Args:
        model: `CSGClassifier`.
        detector: with `gate_score(maps, features, logits, specific_logits)`,
            in `keras.ops`; of a model without a gate the last is `None`.
        images: Tensor of shape `(batch, height, width, 3)`.
    """
    maps = model.backbone(images, training=False)
    features = model.pooling(maps)
    specific = model.class_specific_logits(features) if model.gated else None
    return detector.gate_score(maps, features, model.head(features), specific)


class DetectorScores:
    """A detector's scores of images, computed as one graph.

    Args:
        model: `CSGClassifier`.
        detector: see `detector_scores`.
    """

    def __init__(self, model: CSGClassifier, detector: Any) -> None:
        self._arguments = (model, detector)
        self._run: Any = None

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Returns the scores, of shape `(samples,)`."""
        images = np.asarray(images, "float32")
        if self._run is None:
            model, detector = self._arguments
            self._run = engine.gradient_step(
                lambda images: detector_scores(model, detector, images),
                # The gradients are not asked for, so they are not computed.
                lambda gradients, scores, images: (scores,),
                model,
                images,
                (),
            )
        (scores,) = self._run(images)
        return scores


class AdaptiveAttack:
    """PGD that knows a detector, and misleads it with the classifier.

    What it makes large is the classifier's loss less the detector's score
    times a weight. Of several weights an image keeps what does best: it is
    misclassified and its score is below the detector's threshold; if none does
    both, it is misclassified and looks least strange. A weight of 0 is the
    attack that does not know the detector, so this one is never weaker.

    Args:
        model: `CSGClassifier`.
        detector: with `gate_score` (see `detector_scores`) and `threshold_`,
            above which it flags an image.
        norm: see `GradientAttack`, as the next five.
        targeted: see there.
        steps: see there.
        seed: see there.
        weights: floats of at least 0.

    Call arguments:
        images: see `GradientAttack`, as the next three.
        labels: see there.
        epsilon: see there.
        numbers: see there.

    Returns:
        `Attacked`.

    Reference:
        - [Carlini & Wagner, 2017](https://arxiv.org/abs/1705.07263)
        - [Tramèr et al., 2020](https://arxiv.org/abs/2002.08347)
    """

    def __init__(
        self,
        model: CSGClassifier,
        detector: Any,
        *,
        norm: str = "linf",
        targeted: bool = False,
        steps: int = KNOWING_STEPS,
        seed: int = 0,
        weights: Sequence[float] = WEIGHTS,
    ) -> None:
        self.model = model
        self.detector = detector
        self.targeted = targeted
        self.weights = tuple(weights)
        self.norm = norm
        self._asked = Asked(model)
        self._scores = DetectorScores(model, detector)
        self._attack = _WeighedAttack(
            model,
            detector,
            norm=norm,
            targeted=targeted,
            steps=steps,
            seed=seed,
        )

    def __call__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        epsilon: float,
        numbers: np.ndarray | None = None,
    ) -> Attacked:
        """Returns the attacked images."""
        best = np.array(images, "float32")
        ranks = np.full((len(best), 3), -np.inf)
        zero = np.ones(len(best), bool)
        for weight in self.weights:
            found = self._attack.weighed(
                weight, images, labels, epsilon, numbers
            )
            now = self._ranks(found.images, labels)
            better = _is_larger(now, ranks)
            best[better] = found.images[better]
            ranks[better] = now[better]
            zero &= found.zero_gradient
        return Attacked(best, zero)

    def _ranks(self, images, labels):
        """Returns rows to compare from the left: both, misled, unsuspected."""
        logits = self._asked(images).logits
        said = predicted(logits, self.model.multi_label)
        misled = agrees(said, labels) == self.targeted
        scores = self._scores(images)
        unseen = scores <= self.detector.threshold_
        return np.stack([misled & unseen, misled, -scores], axis=1)


class _WeighedAttack(GradientAttack):
    """PGD on the loss less a detector's score."""

    def __init__(self, model, detector, *, targeted, **settings):
        super().__init__(model, targeted=targeted, **settings)
        sign = -1 if targeted else 1

        def losses(images, labels, originals, epsilon, length, weight):
            maps = model.backbone(images, training=False)
            features = model.pooling(maps)
            logits = model.head(features)
            specific = (
                model.class_specific_logits(features) if model.gated else None
            )
            score = detector.gate_score(maps, features, logits, specific)
            gained = sign * label_losses(model.multi_label, labels, logits)
            return gained - weight * score

        self._losses = losses

    def weighed(self, weight, images, labels, epsilon, numbers):
        """Attacks with one of the weights."""
        self._more = (np.float32(weight),)
        return self(images, labels, epsilon, numbers)


def _is_larger(rows, others):
    """Returns which rows come after the others, by their first difference."""
    larger = np.zeros(len(rows), bool)
    equal = np.ones(len(rows), bool)
    for column in range(rows.shape[1]):
        larger |= equal & (rows[:, column] > others[:, column])
        equal &= rows[:, column] == others[:, column]
    return larger
