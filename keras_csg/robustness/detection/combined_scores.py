"""Scores that weigh several others, each in units of clean images."""

from typing import Any

import numpy as np
from keras import ops

from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.curves import fit_surprise, follow
from keras_csg.robustness.detection.density_scores import (
    Mahalanobis,
    RelativeMahalanobis,
)
from keras_csg.robustness.detection.gate_scores import (
    HeadDisagreement,
    OwnShare,
    SpecificEnergy,
)
from keras_csg.robustness.detection.logit_scores import (
    Energy,
    Entropy,
    FeatureNorm,
)
from keras_csg.robustness.detection.score import (
    Answers,
    Constants,
    Score,
    answers_of,
    plain,
    predicted_rows,
)

BLOCK = 4096
FARTHEST = 8.0
"""Standard deviations beyond which a score counts no more."""


class _Combined(Score):
    """Several scores; the constants of each stand under its name."""

    parts: tuple[type[Score], ...]

    def _fit_parts(self, known, held_back, head):
        return {
            f"{part.name}/{name}": array
            for part in self.parts
            for name, array in part().fit(known, held_back, head).items()
        }

    def _of_parts(self, constants, answers):
        """Returns the score of each part, a list of `(samples,)`."""
        return [
            part()(_within(constants, part.name), answers)
            for part in self.parts
        ]

    def _table(self, constants, head, features):
        """Returns the parts' scores of many samples, `(samples, parts)`."""
        blocks = [
            np.stack(
                [
                    plain(score)
                    for score in self._of_parts(
                        constants,
                        answers_of(head, features[start : start + BLOCK]),
                    )
                ],
                axis=1,
            )
            for start in range(0, len(features), BLOCK)
        ]
        return np.concatenate(blocks)


class Surprise(_Combined):
    """How surprising it is that the features lie so far off or are so weak.

    The sum over `mahalanobis` and `feature_norm` of `-log` of the share of
    clean images that score as high: Fisher's way to weigh independent tests.
    An unknown image mostly fires weakly, an attacked one fires strongly and
    where no clean one does; each of the two is told by one of the parts.

    Reference:
        - Fisher, "Statistical Methods for Research Workers", 1932
    """

    name = "surprise"
    about = "mahalanobis and feature_norm, by how rare each is among clean ones"
    parts: tuple[type[Score], ...] = (Mahalanobis, FeatureNorm)

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns the parts, then how often clean images reach each score."""
        constants = self._fit_parts(known, held_back, head)
        table = self._table(constants, head, held_back)
        for part, scores in zip(self.parts, table.T, strict=True):
            constants[f"{part.name}/curve"] = fit_surprise(scores)
        return constants

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        scores = self._of_parts(constants, answers)
        return sum(
            follow(constants[f"{part.name}/curve"], score)
            for part, score in zip(self.parts, scores, strict=True)
        )


class GateSurprise(Surprise):
    """The same, of what the gate alone shows.

    Needs no more of clean images than how often each score is reached.
    """

    name = "gate_surprise"
    about = "own_share, head_disagreement and specific_energy in this way"
    parts = (OwnShare, HeadDisagreement, SpecificEnergy)


class TwoSided(_Combined):
    """How far several scores are from usual for the class, up or down.

    Scores in standard deviations about the mean of clean images of the
    predicted class, and their squared distance from it by the correlation of
    the scores: surer than any clean image is strange as well.
    """

    name = "two_sided"
    about = "energies, feature_norm and own_share, too high or too low"
    parts = (Energy, SpecificEnergy, FeatureNorm, OwnShare)

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns means and deviations of each class, and the correlation."""
        constants = self._fit_parts(known, held_back, head)
        table = self._table(constants, head, known)
        predicted = head.predicted(known)
        means = np.tile(table.mean(axis=0), (head.num_classes, 1))
        spreads = np.tile(table.std(axis=0), (head.num_classes, 1))
        for number in np.unique(predicted):
            own = table[predicted == number]
            if len(own) > 1:  # Else the class is like all others.
                means[number], spreads[number] = own.mean(0), own.std(0)
        spreads = np.maximum(spreads, 1e-6)
        usual = (table - means[predicted]) / spreads[predicted]
        correlation = np.atleast_2d(np.cov(usual.T))
        inverse = np.linalg.inv(correlation + 0.01 * np.eye(len(self.parts)))
        constants |= {"means": means, "spreads": spreads, "inverse": inverse}
        return {
            name: np.asarray(array, "float32")
            for name, array in constants.items()
        }

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        scores = ops.stack(self._of_parts(constants, answers), axis=1)
        means = predicted_rows(answers.logits, constants["means"])
        spreads = predicted_rows(answers.logits, constants["spreads"])
        usual = (scores - means) / spreads
        turned = ops.matmul(usual, constants["inverse"])
        return ops.sum(turned * usual, axis=-1)


class Logistic(_Combined):
    """A logistic regression on standardised scores, which needs unknown ones.

    On the scores and their squares: strange may be high or low.
    """

    name = "logistic"
    about = "a logistic regression on eight of these; needs unknown images"
    needs_unknown = True
    parts = (
        Energy,
        SpecificEnergy,
        FeatureNorm,
        OwnShare,
        HeadDisagreement,
        Entropy,
        Mahalanobis,
        RelativeMahalanobis,
    )

    def fit_with_unknown(
        self,
        known: np.ndarray,
        held_back: np.ndarray,
        unknown: np.ndarray,
        head: Head,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Learns the parts, and how much each counts."""
        from sklearn.linear_model import LogisticRegression

        constants = self._fit_parts(known, held_back, head)
        table = self._table(constants, head, held_back)
        constants["mean"] = np.float32(table.mean(axis=0))
        constants["spread"] = np.float32(np.maximum(table.std(axis=0), 1e-6))
        strange = self._table(constants, head, unknown)
        inputs = plain(_inputs(constants, np.concatenate([table, strange])))
        labels = np.repeat([0, 1], [len(table), len(strange)])
        model = LogisticRegression(
            C=0.1, max_iter=2000, class_weight="balanced", random_state=seed
        ).fit(inputs, labels)
        constants["weights"] = np.float32(model.coef_[0])
        constants["bias"] = np.float32(model.intercept_[0])
        return constants

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        table = ops.stack(self._of_parts(constants, answers), axis=1)
        inputs = _inputs(constants, table)
        weighed = ops.sum(inputs * constants["weights"], axis=-1)
        return weighed + constants["bias"]


def _inputs(constants, table):
    table = ops.cast(table, "float32")
    usual = (table - constants["mean"]) / constants["spread"]
    usual = ops.clip(usual, -FARTHEST, FARTHEST)
    return ops.concatenate([usual, ops.square(usual)], axis=1)


def _within(constants, name):
    """Returns the constants of a part, by the part's own names for them."""
    start = f"{name}/"
    return {
        key.removeprefix(start): array
        for key, array in constants.items()
        if key.startswith(start)
    }


SCORES = (Surprise, GateSurprise, TwoSided, Logistic)
