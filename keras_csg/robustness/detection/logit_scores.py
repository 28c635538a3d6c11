"""Scores that go by the logits, or by the features' strength: no learning."""

from typing import Any

from keras import ops

from keras_csg.robustness.detection.score import Answers, Constants, Score

TEMPERATURE = 1000.0
"""Of ODIN's softmax, as in the paper."""


class MaximumProbability(Score):
    """One less the largest probability.

    Reference:
        - [Hendrycks and Gimpel, 2017](https://arxiv.org/abs/1610.02136)
    """

    name = "msp"
    about = "how little the likeliest class is likely"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        return 1 - ops.max(ops.softmax(answers.logits), axis=-1)


class MaximumLogit(Score):
    """The largest logit, negated.

    Reference:
        - [Hendrycks et al., 2022](https://arxiv.org/abs/1911.11132)
    """

    name = "max_logit"
    about = "how low the largest logit is"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        return -ops.max(answers.logits, axis=-1)


class Energy(Score):
    """The free energy of the logits, `-log sum exp`.

    Reference:
        - [Liu et al., 2020](https://arxiv.org/abs/2010.03759)
    """

    name = "energy"
    about = "how low all logits are"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        return -ops.logsumexp(answers.logits, axis=-1)


class Odin(Score):
    """The largest probability at a high temperature, negated.

    ODIN without its second half, the step on the input, which takes a backward
    pass. Kept as the logarithm of how much less it is than in an even answer,
    times the temperature: as probabilities all are nearly alike.

    Reference:
        - [Liang et al., 2018](https://arxiv.org/abs/1706.02690)
    """

    name = "odin"
    about = f"the same as msp, logits divided by {TEMPERATURE:.0f}"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        # All exponentials are nearly 1: what they differ by is what counts.
        best = ops.max(answers.logits, axis=-1, keepdims=True)
        half = ops.tanh((answers.logits - best) / (2 * TEMPERATURE))
        rest = 2 * half / (1 - half)  # exp(x) - 1, which ONNX has not.
        return TEMPERATURE * ops.log(1 + ops.mean(rest, axis=-1))


class Entropy(Score):
    """The entropy of the probabilities, in nats."""

    name = "entropy"
    about = "how evenly the probabilities are spread"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        logs = ops.log_softmax(answers.logits)
        return -ops.sum(ops.exp(logs) * logs, axis=-1)


class FeatureNorm(Score):
    """The Euclidean norm of the features, negated."""

    name = "feature_norm"
    about = "how weakly all filters fire together"

    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample."""
        return -norm(answers.features)


def norm(vectors: Any) -> Any:
    """Returns the norm of each row; its gradient is finite at zero."""
    return ops.sqrt(ops.sum(ops.square(vectors), axis=-1) + 1e-12)


SCORES = (MaximumProbability, MaximumLogit, Energy, Odin, Entropy, FeatureNorm)
