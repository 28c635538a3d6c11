"""Energies of features that are cut, thinned or chosen first.

The features of unfamiliar images are said to be of another shape: few that are
too strong, many that should be silent. Each score mends that shape as it is in
clean images, and takes the energy of the logits that the head then gives.
"""

from typing import Any

import numpy as np
from keras import ops

from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.score import (
    Answers,
    Constants,
    Score,
    predicted_rows,
)

CLIPPED = 0.9
"""Share of the clean activations that stay as they are, as in ReAct."""
THINNED = 0.9
"""Share of each sample's filters that are silenced, as in ASH."""
FILTERS_LEFT = 0.9
"""Share of the filters that may speak of a class, as in LINe."""
WEIGHTS_LEFT = 0.1
"""Share of each class's weights that are left, as in LINe."""
TINY = 1e-9


class ReAct(Score):
    """The energy, no filter firing above what clean ones seldom pass.

    Reference:
        - [Sun et al., 2021](https://arxiv.org/abs/2111.12797)
    """

    name = "react"
    about = "how low all logits are, strong filters held down"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns the bound: one for all filters."""
        return {**_head(head), "most": _bound(known)}

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        features = ops.minimum(answers.features, constants["most"])
        return _energy(ops.matmul(features, constants["kernel"]), constants)


class ActivationShaping(Score):
    """The energy, the strongest filters alone, made the stronger (ASH-S).

    What is left is multiplied by `exp(s1 / s2)`, the sums of the activation
    before and after.

    Reference:
        - [Djurisic et al., 2023](https://arxiv.org/abs/2209.09858)
    """

    name = "ash"
    about = "how low all logits are, weak filters silenced"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Keeps the head."""
        return _head(head)

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        features = ops.relu(answers.features)
        left = max(1, round((1 - THINNED) * features.shape[-1]))
        least = ops.top_k(features, left)[0][:, -1:]
        # No comparison that yields a number: all steps have a gradient.
        kept = ops.where(features >= least, features, ops.zeros_like(features))
        before = ops.sum(features, axis=-1, keepdims=True)
        after = ops.sum(kept, axis=-1, keepdims=True) + TINY
        shaped = kept * ops.exp(before / after)
        return _energy(ops.matmul(shaped, constants["kernel"]), constants)


class ImportantNeurons(Score):
    """The energy of what matters for the predicted class (LINe).

    What a filter matters for a class is its Shapley value, which of a linear
    head is its contribution: the mean of `W[c, k] a_k` over the clean images
    that are taken for c. Of each class's weights the tenth with the largest
    are left; filters that matter least for the predicted class are silent;
    none fires above what clean ones seldom pass.

    Reference:
        - [Ahn et al., 2023](https://arxiv.org/abs/2303.13995)
    """

    name = "line"
    about = "how low all logits are by what matters for the predicted class"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns which filters and weights matter for each class."""
        matter = _contributions(known, head)
        weights = head.kernel * _largest(matter, WEIGHTS_LEFT).T
        return {
            "kernel": weights.astype("float32"),
            "bias": head.bias.astype("float32"),
            "most": _bound(known),
            "filters": _largest(matter, FILTERS_LEFT),
        }

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        features = ops.minimum(answers.features, constants["most"])
        chosen = predicted_rows(answers.logits, constants["filters"])
        logits = ops.matmul(features * chosen, constants["kernel"])
        return _energy(logits, constants)


def _head(head):
    return {
        "kernel": head.kernel.astype("float32"),
        "bias": head.bias.astype("float32"),
    }


def _energy(products, constants):
    return -ops.logsumexp(products + constants["bias"], axis=-1)


def _bound(known):
    return np.float32([np.quantile(known, CLIPPED)])


def _contributions(known, head):
    """Returns the mean contribution, `(classes, filters)`.

    A class that no clean image is taken for goes by all of them.
    """
    predicted = head.predicted(known)
    sums = np.zeros((head.num_classes, known.shape[1]))
    np.add.at(sums, predicted, known)
    counts = np.bincount(predicted, minlength=head.num_classes)[:, None]
    means = np.where(counts > 0, sums / np.maximum(counts, 1), known.mean(0))
    return head.kernel.T * means


def _largest(matter, share):
    """Returns 1 for the share of each row that is largest, else 0."""
    count = max(1, round(share * matter.shape[1]))
    places = np.argsort(-matter, axis=1, kind="stable")[:, :count]
    mask = np.zeros(matter.shape, "float32")
    np.put_along_axis(mask, places, 1, axis=1)
    return mask


SCORES = (ReAct, ActivationShaping, ImportantNeurons)
