"""What a score of strangeness is, and what it is computed from."""

import abc
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from keras_csg.metrics.head import Head


class Answers(NamedTuple):
    """What a classifier answers of images, all from one backbone pass.

    Attributes:
        features: array or tensor `(samples, filters)`: each map's average.
        logits: `(samples, classes)`, of the standard head.
        specific_logits: `(samples, classes)`, of the class-specific head.
    """

    features: Any
    logits: Any
    specific_logits: Any


Constants = Mapping[str, np.ndarray]
"""What a score has learned, by name; may as well hold weights of a layer."""


class Score(abc.ABC):
    """Says how strange an image is: the higher, the stranger.

    It has no state: what it learns it returns, and is given again. A layer
    gives it as weights.

    Attributes:
        name: str. What people call it.
        exportable: bool. Whether it is plain arithmetic in `keras.ops`,
            differentiable, so that it can be attacked and put into an exported
            graph.
        needs_unknown: bool. Whether it learns from images that are not of the
            classes as well.
        about: str. Half a line on what it goes by.
    """

    name: str
    exportable = True
    needs_unknown = False
    about: str

    def fit(
        self, known: np.ndarray, held_back: np.ndarray, head: Head
    ) -> dict[str, np.ndarray]:
        """Learns from clean images; most scores have nothing to learn.

        Args:
            known: float32 array `(samples, filters)`, features of clean images.
            held_back: the same of others, which nothing was learned from yet.
            head: `Head` with a gate; see `with_gate`.

        Returns:
            dict of float32 arrays.
        """
        return {}

    def fit_with_unknown(
        self,
        known: np.ndarray,
        held_back: np.ndarray,
        unknown: np.ndarray,
        head: Head,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Learns from clean images and from `unknown` ones beside them."""
        return self.fit(known, held_back, head)

    @abc.abstractmethod
    def __call__(self, constants: Constants, answers: Answers) -> Any:
        """Returns the score of each sample, `(samples,)`, in `keras.ops`."""


def with_gate(head: Head) -> Head:
    """Returns a head with a gate: its own, or one that stands for it.

    The baseline: in a standard network a filter counts as its class's own that
    has the largest weight for it.
    """
    if head.gate_matrix is not None:
        return head
    gate = np.zeros((head.num_classes, head.filters), "float32")
    gate[head.classes_of_filters(), np.arange(head.filters)] = 1
    return Head(head.kernel, head.bias, gate)


def answers_of(head: Head, features: np.ndarray) -> Answers:
    """Returns what a head with a gate answers of features."""
    features = np.asarray(features, "float32")
    return Answers(
        features,
        head.logits(features),
        head.class_specific_logits(features),
    )


def predicted_rows(logits: Any, rows: Any) -> Any:
    """Returns the row of each sample's predicted class.

    By the largest logit itself: `argmax` of floats does not export. Classes
    that share it share the row.

    Args:
        logits: tensor `(samples, classes)`.
        rows: tensor `(classes, n)`.

    Returns:
        Tensor `(samples, n)`.
    """
    largest = ops.max(logits, axis=-1, keepdims=True)
    chosen = ops.cast(ops.equal(logits, largest), logits.dtype)
    chosen = chosen / ops.sum(chosen, axis=-1, keepdims=True)
    return ops.matmul(chosen, rows)


def plain(tensor: Any) -> np.ndarray:
    """Returns what a score gives as a float64 array."""
    return np.asarray(ops.convert_to_numpy(tensor), "float64")
