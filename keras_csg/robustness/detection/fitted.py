from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from keras import ops

from keras_csg.metrics.head import Head
from keras_csg.robustness.detection.curves import check_rank, follow
from keras_csg.robustness.detection.layer import AnomalyScore
from keras_csg.robustness.detection.registry import (
    exportable_scores,
    find_score,
)
from keras_csg.robustness.detection.score import (
    Answers,
    answers_of,
    plain,
    with_gate,
)

BLOCK = 4096
"""Samples whose logits are in memory at a time."""


class FittedDetector:
    """What a detector can do without its classifier, once it was fitted."""

    score: str
    false_alarm_rate: float
    threshold_: float
    head_: Head
    constants_: dict[str, np.ndarray]
    rank_: np.ndarray
    calibrated_on_: int | None

    def ranks(self, scores: np.ndarray) -> np.ndarray:
        """Returns `anomaly_scores` of what `score_samples` gave."""
        scores = np.asarray(scores, "float32")
        return np.clip(plain(follow(self.rank_, scores)), 0, 1)

    def gate_score(
        self, maps: Any, features: Any, logits: Any, specific_logits: Any
    ) -> Any:
        """Returns `score_samples` as tensors, for those who attack it.

        Args:
            maps: tensor `(samples, h, w, filters)`; no score needs it yet.
            features: tensor `(samples, filters)`, the maps' averages.
            logits: tensor `(samples, classes)`, of the standard head.
            specific_logits: tensor `(samples, classes)` of the class-specific
                head; `None` for a classifier without a gate.

        Returns:
            Tensor `(samples,)`, differentiable.

        Raises:
            ValueError: if the score is not differentiable.
        """
        score = self._exportable()
        if specific_logits is None:
            head = with_gate(self.head_)
            own = head.kernel * head.require_gate().T
            specific_logits = ops.matmul(features, own) + head.bias
        answers = Answers(features, logits, specific_logits)
        return score(self.constants_, answers)

    def as_layer(self, **kwargs: Any) -> AnomalyScore:
        """Returns the detector as a layer, for a graph that is exported.

        Args:
            **kwargs: of any `keras.layers.Layer`.

        Raises:
            ValueError: if the score is no plain arithmetic.
        """
        self._exportable()
        arrays = {**self.constants_, "rank": self.rank_}
        return AnomalyScore(
            self.score,
            {name: array.shape for name, array in arrays.items()},
            values=arrays,
            **kwargs,
        )

    def description(self) -> dict[str, Any]:
        """Returns what an exported file says of it, plain values.

        Returns:
            dict; see `keras_csg.deployment.Metadata.detector`.
        """
        self._check_fitted()
        return {
            "score": self.score,
            "threshold": self.threshold_,
            "known_up_to": 1 - self.false_alarm_rate,
            "false_alarm_rate": self.false_alarm_rate,
            "images": self.calibrated_on_,
            "baseline": self.head_.gate_matrix is None,
        }

    @property
    def exportable(self) -> bool:
        """Whether its score can live in an exported graph."""
        return find_score(self.score).exportable

    def check_exportable(self) -> None:
        """Refuses a score that cannot live in an exported graph.

        Raises:
            ValueError: with the names of those that can.
        """
        self._exportable()

    def check_threshold(self) -> None:
        """Refuses a threshold that was changed after it was found.

        Raises:
            ValueError: if an exported file would contradict `predict`.
        """
        self._check_fitted()
        check_rank(self.rank_, self.threshold_, self.false_alarm_rate)

    def looks_at(self) -> frozenset[str]:
        """Returns the fields of `Answers` that the score is computed from.

        So that a graph holds no table of a head that its score ignores.
        """
        self._check_fitted()
        head = with_gate(self.head_)
        watched = _Watched(answers_of(head, np.ones((1, head.filters))))
        find_score(self.score)(self.constants_, cast(Answers, watched))
        return frozenset(watched.seen)

    def _scores_of(self, features: np.ndarray) -> Iterator[np.ndarray]:
        """Yields the scores of features, a block at a time."""
        score, head = find_score(self.score), with_gate(self.head_)
        for start in range(0, len(features), BLOCK):
            answers = answers_of(head, features[start : start + BLOCK])
            yield plain(score(self.constants_, answers))

    def _exportable(self):
        self._check_fitted()
        score = find_score(self.score)
        if not score.exportable:
            raise ValueError(
                f"The score {self.score!r} is no plain arithmetic, so it can "
                "neither be exported nor attacked by its gradient. These can: "
                f"{', '.join(exportable_scores())}."
            )
        return score

    def _check_fitted(self):
        if not hasattr(self, "threshold_"):
            raise ValueError("The detector was not fitted: call `fit` first.")


class _Watched:
    """Answers that remember which of their fields were looked at."""

    def __init__(self, answers: Answers):
        self._answers = answers
        self.seen: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.seen.add(name)
        return getattr(self._answers, name)
