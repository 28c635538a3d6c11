"""Scores that go by where the features of clean images lie."""

from typing import Any

import numpy as np
from keras import ops

from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.logit_scores import norm
from keras_csg.robustness.detection.score import Answers, Constants, Score

NEIGHBORS = 20
MOST_KEPT = 5000
"""Clean images that the distance to the nearest is measured to."""


class Mahalanobis(Score):
    """The squared distance to the nearest class, in units of its spread.

    Classes are those that the network predicts: no label is needed. All share
    one covariance, shrunk after Ledoit and Wolf, so that it can be inverted
    with fewer images than filters.

    Reference:
        - [Lee et al., 2018](https://arxiv.org/abs/1807.03888)
    """

    name = "mahalanobis"
    about = "how far the features are from those of every class"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns the classes' means, and what makes their spread round."""
        from sklearn.covariance import LedoitWolf

        predicted = head.predicted(known)
        classes, members = np.unique(predicted, return_inverse=True)
        sums = np.zeros((len(classes), known.shape[1]))
        np.add.at(sums, members, known)
        means = sums / np.bincount(members)[:, None]
        centre = known.mean(axis=0, dtype="float64")
        spread = LedoitWolf(assume_centered=True).fit(known - means[members])
        rounding = _rounding(spread.covariance_)
        return _as_float32(
            centre=centre, rounding=rounding, means=(means - centre) @ rounding
        )

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        return _nearest(constants, _rounded(constants, answers))


class RelativeMahalanobis(Mahalanobis):
    """What the nearest class is farther away than all clean images together.

    Reference:
        - [Ren et al., 2021](https://arxiv.org/abs/2106.09022)
    """

    name = "relative_mahalanobis"
    about = "the same, beside the distance from all clean images together"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns the same, and the spread of all images."""
        from sklearn.covariance import LedoitWolf

        spread = LedoitWolf().fit(known).covariance_
        return {
            **super().fit(known, held_back, head),
            **_as_float32(background=_rounding(spread)),
        }

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        centred = answers.features - constants["centre"]
        apart = ops.matmul(centred, constants["background"])
        everything = ops.sum(ops.square(apart), axis=-1)
        return super().__call__(constants, answers) - everything


class NearestNeighbors(Score):
    """The distance of the direction to the 20th nearest clean one.

    Compared with 5,000 clean images at most, drawn evenly, whose directions
    are its constants.

    Reference:
        - [Sun et al., 2022](https://arxiv.org/abs/2204.06507)
    """

    name = "knn"
    about = f"how far the {NEIGHBORS}th nearest clean image is"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Keeps the directions of clean images."""
        count = min(len(known), MOST_KEPT)
        some = known[np.linspace(0, len(known) - 1, count).astype(int)]
        lengths = np.linalg.norm(some, axis=1, keepdims=True)
        return _as_float32(directions=some / np.maximum(lengths, 1e-6))

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        features, kept = answers.features, constants["directions"]
        directions = features / (norm(features)[:, None] + 1e-6)
        cosines = ops.matmul(directions, ops.transpose(kept))
        _, places = ops.top_k(cosines, min(NEIGHBORS, kept.shape[0]))
        nearest = ops.take(kept, places[:, -1], axis=0)
        # Not of the cosine: where that is near one its last digits are all.
        squares = ops.sum(ops.square(directions - nearest), axis=-1)
        return ops.sqrt(squares + 1e-12)


class VirtualLogit(Score):
    """A logit for what the features have outside their usual directions.

    Their part outside the principal half of the directions, scaled to the
    size of a largest logit, less the energy of the logits.

    Reference:
        - [Wang et al., 2022](https://arxiv.org/abs/2203.10807)
    """

    name = "vim"
    about = "what the features have outside their usual directions"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns the unusual directions, and the scale of a logit."""
        # Where the logits vanish: seen from there they are linear.
        origin = -np.linalg.pinv(head.kernel.T) @ head.bias
        seen = known - origin
        # In rising order: the first half is what varies least.
        _, directions = np.linalg.eigh(seen.T @ seen)
        unusual = directions[:, : max(1, known.shape[1] // 2)]
        lengths = np.linalg.norm(seen @ unusual, axis=1)
        largest = head.logits(known).max(axis=1).mean()
        scale = largest / max(lengths.mean(), 1e-6)
        return _as_float32(origin=origin, unusual=unusual, scale=scale)

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        seen = answers.features - constants["origin"]
        outside = norm(ops.matmul(seen, constants["unusual"]))
        energy = ops.logsumexp(answers.logits, axis=-1)
        return constants["scale"] * outside - energy


def _as_float32(**arrays):
    return {name: np.asarray(a, "float32") for name, a in arrays.items()}


def _rounding(covariance):
    """Returns the matrix that makes a spread round: `R R^T = C^-1`."""
    values, vectors = np.linalg.eigh(covariance)
    floor = max(values.max() * 1e-6, 1e-12)  # Filters that never fire.
    return vectors / np.sqrt(np.maximum(values, floor))


def _rounded(constants, answers):
    centred = answers.features - constants["centre"]
    return ops.matmul(centred, constants["rounding"])


def _nearest(constants, rounded):
    """Returns the squared distance to the nearest of the classes' means."""
    means = constants["means"]
    products = ops.matmul(rounded, ops.transpose(means))
    nearness = 2 * products - ops.sum(ops.square(means), axis=-1)
    # `argmax` of floats does not export.
    _, places = ops.top_k(nearness, 1)
    nearest = ops.take(means, places[:, 0], axis=0)
    # Not from the products: far from the centre these are large, and their
    # difference would have lost its digits.
    return ops.sum(ops.square(rounded - nearest), axis=-1)


SCORES = (Mahalanobis, RelativeMahalanobis, NearestNeighbors, VirtualLogit)
