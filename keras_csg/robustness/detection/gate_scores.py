"""Scores that go by the gate alone: does what fires belong together?"""

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

TINY = 1e-9


class OwnShare(Score):
    """The share of the activation outside the predicted class's filters.

    `sum_k (1 - G[p, k]) |a_k| / sum_k |a_k|`, p the predicted class: in
    `[0, 1]`, and 1 where no filter fires.
    """

    name = "own_share"
    about = "the share of what fires outside the predicted class's filters"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Keeps the gate."""
        return {"gate": head.require_gate().astype("float32")}

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        active = ops.abs(answers.features)
        own = predicted_rows(answers.logits, constants["gate"]) * active
        return 1 - ops.sum(own, axis=-1) / (ops.sum(active, axis=-1) + TINY)


class OwnEvidence(Score):
    """The share of the predicted class's evidence outside its own filters.

    `1 - sum_k G[p, k] relu(e_k) / sum_k |e_k|` with the contributions
    `e_k = W[p, k] a_k` to the predicted class p: in `[0, 1]`.
    """

    name = "own_evidence"
    about = "the share of the predicted class's evidence outside its filters"

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Keeps the gate and the head's weights."""
        return {
            "gate": head.require_gate().astype("float32"),
            "kernel": head.kernel.T.astype("float32"),
        }

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        rows = predicted_rows(answers.logits, constants["kernel"])
        evidence = rows * answers.features
        gates = predicted_rows(answers.logits, constants["gate"])
        own = ops.sum(gates * ops.relu(evidence), axis=-1)
        return 1 - own / (ops.sum(ops.abs(evidence), axis=-1) + TINY)


class HeadDisagreement(Score):
    """How far the two heads' probabilities are apart.

    The Kullback-Leibler divergence of the class-specific head's from the
    standard head's, in nats.
    """

    name = "head_disagreement"
    about = "how far the two heads' probabilities are apart"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        standard = ops.log_softmax(answers.logits)
        specific = ops.log_softmax(answers.specific_logits)
        return ops.sum(ops.exp(standard) * (standard - specific), axis=-1)


class SpecificEnergy(Score):
    """The free energy of the class-specific logits, `-log sum exp`."""

    name = "specific_energy"
    about = "how low all class-specific logits are"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        return -ops.logsumexp(answers.specific_logits, axis=-1)


SCORES = (OwnShare, OwnEvidence, HeadDisagreement, SpecificEnergy)
