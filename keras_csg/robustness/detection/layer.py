from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_csg.robustness.detection.curves import follow
from keras_csg.robustness.detection.registry import find_score
from keras_csg.robustness.detection.score import Answers


@keras.saving.register_keras_serializable(package="keras_csg")
class AnomalyScore(keras.layers.Layer):
    """Says how strange an image is, from what the classifier computes anyway.

    Made by `AnomalyDetector.as_layer`. What the detector has learned are its
    weights, which no training changes; what is saved with a model is
    complete. It computes in float32.

    Args:
        score: str. Name of the score.
        shapes: dict of the shape of each array of the detector, by name.
        values: dict of these arrays; `None` where weights are loaded.

    Call arguments:
        features: Tensor of shape `(batch, filters)`.
        logits: Tensor of shape `(batch, classes)`, of the standard head, as
            it is, without a temperature; `None` for a score that does not
            look at it: `AnomalyDetector.looks_at`.
        specific_logits: Tensor of that shape, of the class-specific head; as
            well.

    Returns:
        Tensor of shape `(batch,)` in 0..1: the share of clean images that are
        less strange. Known is what has `1 - false_alarm_rate` or less.
    """

    def __init__(
        self,
        score: str,
        shapes: Mapping[str, Sequence[int]],
        values: Mapping[str, np.ndarray] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["dtype"] = "float32"
        super().__init__(**kwargs)
        self.score = score
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self._score = find_score(score)
        self._constants = {
            name: self.add_weight(
                name=name.replace("/", "_"),
                shape=shape,
                initializer="zeros",
                trainable=False,
            )
            for name, shape in self.shapes.items()
        }
        for name, value in (values or {}).items():
            self._constants[name].assign(value)
        self.built = True

    def call(
        self, features: Any, logits: Any = None, specific_logits: Any = None
    ) -> Any:
        """Returns the share of clean images that are less strange."""
        constants = {
            name: ops.convert_to_tensor(weight)
            for name, weight in self._constants.items()
        }
        answers = Answers(features, logits, specific_logits)
        scores = self._score(constants, answers)
        return ops.clip(follow(constants["rank"], scores), 0, 1)

    def compute_output_shape(
        self,
        features_shape: tuple[int | None, ...],
        logits_shape: tuple[int | None, ...] | None = None,
        specific_logits_shape: tuple[int | None, ...] | None = None,
    ) -> tuple[int | None, ...]:
        """Returns `(batch,)`."""
        return (features_shape[0],)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, for serialisation; the weights come apart."""
        shapes = {name: list(shape) for name, shape in self.shapes.items()}
        return {**super().get_config(), "score": self.score, "shapes": shapes}
