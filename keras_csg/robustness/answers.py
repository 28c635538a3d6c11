"""What a classifier says of images, and whether that is right."""

from typing import Any, NamedTuple

import keras
import numpy as np

from keras_csg.evaluation.features import check_finite, head_of
from keras_csg.models.classifier import CSGClassifier


class Answers(NamedTuple):
    """What both heads of a classifier say of images.

    Attributes:
        logits: array of shape `(samples, classes)`, of the standard head.
        specific: the same of the class-specific head; `None` without a gate.
    """

    logits: np.ndarray
    specific: np.ndarray | None

    def of(self, head: str) -> np.ndarray:
        """Returns the logits of the head `"standard"` or `"class_specific"`."""
        if head == "standard" or self.specific is None:
            return self.logits
        return self.specific


class Asked:
    """A classifier that is asked for both heads' logits.

    Args:
        model: `CSGClassifier`.
    """

    def __init__(self, model: CSGClassifier) -> None:
        self.model = model
        self._head = head_of(model)
        self._extractor = keras.Model(
            model.backbone.input, model.pooling(model.backbone.output)
        )

    def __call__(self, images: np.ndarray) -> Answers:
        """Returns the `Answers` to images `(samples, height, width, 3)`.

        Raises:
            ValueError: if the network gives values that are not finite.
        """
        images = np.asarray(images, "float32")
        features = self._extractor.predict_on_batch(images)
        check_finite([features])
        specific = None
        if self.model.gated:
            specific = self._head.class_specific_logits(features)
        return Answers(self._head.logits(features), specific)


def predicted(logits: np.ndarray, multi_label: bool) -> np.ndarray:
    """Returns the class of each sample, or zeros and ones for each class."""
    if multi_label:
        return (logits >= 0).astype("float32")
    return logits.argmax(axis=1)


def agrees(answers: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns which answers are the labels: all classes of one, no others.

    Args:
        answers: as `predicted` returns them.
        labels: ints of shape `(samples,)`, or zeros and ones `(samples,
            classes)`.

    Returns:
        bool array of shape `(samples,)`.
    """
    same = answers == np.asarray(labels)
    return same.all(axis=1) if same.ndim == 2 else same


def other_labels(
    labels: np.ndarray, num_classes: int, seed: int, numbers: np.ndarray
) -> np.ndarray:
    """Returns what an attack is to make of each image: any other class.

    Where an image may have several, its own with one of all classes added or
    taken away.

    Args:
        labels: ints of shape `(samples,)`, or zeros and ones `(samples,
            classes)`.
        num_classes: int.
        seed: int.
        numbers: ints of shape `(samples,)`, those of the images.
    """
    several = np.ndim(labels) == 2
    draws = [
        np.random.default_rng([seed, number, 1]).integers(
            0 if several else 1, num_classes
        )
        for number in numbers
    ]
    if not several:
        return ((labels + np.array(draws)) % num_classes).astype("int32")
    targets = np.array(labels, "float32")
    rows: Any = np.arange(len(targets))
    targets[rows, draws] = 1 - targets[rows, draws]
    return targets
